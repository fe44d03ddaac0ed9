// Keys. The overlay of "?" in the page lists them.
import { byId } from './dom.js';

const typing = (element) => element?.matches?.('input, textarea, select, [contenteditable]') ?? false;

// `actions`: {newChat, search, stop, toggleSidebar, focusPrompt, copyLast, settings}. `stop` returns
// whether there was something to stop.
export function setUpShortcuts(actions) {
  const help = byId('help-dialog');
  byId('help').addEventListener('click', () => help.showModal());
  byId('close-help').addEventListener('click', () => help.close());
  help.addEventListener('click', (event) => {
    if (event.target === help) help.close();
  });

  const withControl = { k: actions.search, b: actions.toggleSidebar, ',': actions.settings };
  const withControlShift = { o: actions.newChat, c: actions.copyLast };

  addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const key = event.key.toLowerCase();
    const control = (event.ctrlKey || event.metaKey) && !event.altKey;
    const action = control ? (event.shiftKey ? withControlShift : withControl)[key] : null;
    if (action) {
      event.preventDefault();
      action();
    } else if (control && event.key === '/') {
      event.preventDefault();
      help.showModal();
    } else if (event.key === 'Escape') {
      if (actions.stop()) event.preventDefault();
    } else if (!control && !event.altKey && !typing(event.target)) {
      if (event.key === '?') help.showModal();
      else if (event.key === '/') {
        event.preventDefault();
        actions.focusPrompt();
      }
    }
  });
}
