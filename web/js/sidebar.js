// The list of conversations: search, rename, delete, export and import.
import { byId, h, iconButton, toast } from './dom.js';
import { dayGroup, plural } from './format.js';

export class Sidebar {
  // `actions`: {open(id), rename(id, title), remove(id), restore(conversation), imported()}
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.list = byId('conversations');
    this.search = byId('search');
    this.current = null;
    this.running = () => false;
    this.turn = 0;
    this.search.addEventListener('input', () => this.refresh());
    this.search.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.list.querySelector('.conversation-link')?.click();
      if (event.key === 'Escape' && this.search.value) {
        event.stopPropagation();
        this.search.value = '';
        this.refresh();
      }
    });
    byId('export').addEventListener('click', () => this.exportFile());
    byId('import').addEventListener('click', () => byId('import-file').click());
    byId('import-file').addEventListener('change', (event) => this.importFile(event.target));
    byId('menu').addEventListener('click', () => this.toggle());
    byId('close-sidebar').addEventListener('click', () => this.toggle(false));
    byId('scrim').addEventListener('click', () => this.toggle(false));
    const narrow = matchMedia('(max-width: 55rem)');
    narrow.addEventListener('change', () => this.toggle(!narrow.matches));
    this.narrow = narrow;
    this.toggle(!narrow.matches, false);
  }

  // On a phone it is a drawer over the page; a closed one takes no focus.
  toggle(open = document.body.classList.contains('no-sidebar'), focus = true) {
    document.body.classList.toggle('no-sidebar', !open);
    byId('sidebar').inert = !open;
    byId('content').inert = open && this.narrow.matches;
    byId('menu').setAttribute('aria-expanded', String(open));
    if (focus && open && this.narrow.matches) byId('close-sidebar').focus();
    if (focus && !open && this.narrow.matches) byId('menu').focus();
  }

  closeIfNarrow() {
    if (this.narrow.matches) this.toggle(false, false);
  }

  focusSearch() {
    this.toggle(true, false);
    this.search.focus();
    this.search.select();
  }

  // The list as it is now; an older look-up that ends later changes nothing.
  async refresh() {
    this.turn += 1;
    const { turn } = this;
    const query = this.search.value.trim();
    const found = await this.store.list(query);
    if (turn !== this.turn || this.list.querySelector('.rename')) return;
    this.list.replaceChildren();
    let group = null;
    for (const entry of found) {
      const day = dayGroup(entry.updated);
      if (day !== group) this.list.append(h('li', { class: 'day' }, day));
      group = day;
      this.list.append(this.row(entry));
    }
    byId('no-conversations').hidden = found.length > 0;
    byId('no-conversations').textContent = query ? 'Nothing found.' : 'Conversations stay in this browser.';
  }

  row({ id, title }) {
    const link = h('button', {
      type: 'button', class: 'conversation-link', title, 'aria-current': id === this.current ? 'page' : null,
      onclick: () => this.actions.open(id),
    }, title);
    const row = h('li', { class: 'conversation', 'data-id': id }, link,
      this.running(id) ? h('span', { class: 'pulse', title: 'Being answered' }) : null,
      iconButton('edit', `Rename ${title}`, () => this.rename(row, id, title)),
      iconButton('trash', `Delete ${title}`, () => this.remove(id)));
    return row;
  }

  rename(row, id, title) {
    const field = h('input', { class: 'rename', 'aria-label': 'New title', maxlength: 200 });
    field.value = title;
    let done = false;
    const close = async (save) => {
      if (done) return;
      done = true;
      const text = field.value.trim();
      if (save && text && text !== title) await this.actions.rename(id, text);
      field.remove();
      await this.refresh();
      this.list.querySelector(`[data-id="${CSS.escape(id)}"] .conversation-link`)?.focus();
    };
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') close(true);
      if (event.key === 'Escape') {
        event.stopPropagation();
        close(false);
      }
    });
    field.addEventListener('blur', () => close(true));
    row.replaceChildren(field);
    field.focus();
    field.select();
  }

  async remove(id) {
    const conversation = await this.actions.remove(id);
    await this.refresh();
    (this.list.querySelector('.conversation-link') ?? byId('new-chat')).focus();
    if (!conversation) return;
    toast(`“${conversation.title}” is deleted.`, {
      label: 'Undo', run: async () => {
        await this.actions.restore(conversation);
        await this.refresh();
      },
    });
  }

  async exportFile() {
    const file = new Blob([await this.store.exportText()], { type: 'application/json' });
    const url = URL.createObjectURL(file);
    h('a', { href: url, download: `ponder-${new Date().toISOString().slice(0, 10)}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async importFile(input) {
    const file = input.files[0];
    input.value = '';
    if (!file) return;
    try {
      const taken = await this.store.importText(await file.text());
      toast(`${plural(taken, 'conversation')} imported.`);
      await this.actions.imported();
      await this.refresh();
    } catch (failure) {
      toast(failure.message);
    }
  }
}
