// The messages of the conversation on the screen, and how far it is scrolled.
import { byId } from './dom.js';
import { MessageView } from './message_view.js';
import { childrenOf, shownPath } from './tree.js';

const kNearEnd = 80;  // pixels

export class Thread {
  constructor(actions) {
    this.actions = actions;
    this.pane = byId('thread');
    this.list = byId('messages');
    this.jump = byId('jump');
    this.views = new Map();
    this.conversation = null;
    this.following = true;
    this.pane.addEventListener('scroll', () => this.noteScroll(), { passive: true });
    this.jump.addEventListener('click', () => this.toEnd());
  }

  // `answers` tells which messages are being written: a Map from message id to Answer.
  show(conversation, answers, openThoughts) {
    if (conversation !== this.conversation) this.views.clear();
    this.conversation = conversation;
    const path = shownPath(conversation);
    const elements = path.map((message) => {
      let view = this.views.get(message.id);
      if (!view) {
        view = new MessageView(message, this.actions);
        view.openThoughts(openThoughts);
        this.views.set(message.id, view);
      }
      const siblings = childrenOf(conversation, message.parent);
      view.refresh(answers.get(message.id) ?? null, { index: siblings.indexOf(message), count: siblings.length });
      return view.element;
    });
    this.list.replaceChildren(...elements);
    document.body.classList.toggle('empty', path.length === 0);
    this.noteScroll();
  }

  // A piece has come; only this message changes.
  grow(message, answer) {
    const view = this.views.get(message.id);
    if (!view?.element.isConnected) return;
    view.refreshLive(answer);
    if (this.following) this.pane.scrollTop = this.pane.scrollHeight;
    this.showJump();
  }

  noteScroll() {
    this.following = this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight < kNearEnd;
    this.showJump();
  }

  showJump() {
    this.jump.hidden = this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight < 3 * kNearEnd;
  }

  toEnd() {
    this.pane.scrollTop = this.pane.scrollHeight;
    this.following = true;
    this.showJump();
  }

  focusLast() {
    this.list.lastElementChild?.querySelector('.regenerate')?.focus();
  }
}
