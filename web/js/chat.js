// The chat page: which conversation is shown, what is being answered, what is saved when.
import { ApiError, listModels } from './api.js';
import { Answer, requestBody } from './answer.js';
import { Composer } from './composer.js';
import { announce, byId, copyText, h, toast } from './dom.js';
import { contextUse } from './message_view.js';
import { SettingsDialog } from './settings_dialog.js';
import { Sidebar } from './sidebar.js';
import { ConversationStore, loadSettings, saveSettings } from './store.js';
import { setUpShortcuts } from './shortcuts.js';
import { Thread } from './thread.js';
import { addMessage, newConversation, shownPath, switchBranch, requestMessages } from './tree.js';

const kFrameMs = 66;  // between two drawings of a growing answer, at least
const kSaveMs = 500;  // between two savings of it
const kClockMs = 500;

export class Chat {
  static async open() {
    const chat = new Chat();
    chat.settings = loadSettings();
    chat.store = await ConversationStore.open();
    chat.answers = new Map();  // message id → Answer
    chat.unsaved = new Map();  // conversation → savings that have begun and not ended
    chat.savedAt = new WeakMap();
    chat.deleted = new WeakSet();
    chat.models = [];
    chat.buildParts();
    await chat.showFromAddress();
    await chat.sidebar.refresh();
    await chat.loadModels();
    if (!chat.store.persistent) toast('This browser lets nothing be stored: conversations end with this page.');
    return chat;
  }

  buildParts() {
    this.thread = new Thread({
      regenerate: (message) => this.regenerate(message),
      retry: (message) => this.regenerate(message),
      edit: (message, text) => this.editMessage(message, text),
      switchBranch: (message, step) => this.branch(message, step),
      openSettings: (field) => this.dialog.open(field),
    });
    this.sidebar = new Sidebar(this.store, {
      open: (id) => this.openConversation(id),
      rename: (id, title) => this.rename(id, title),
      remove: (id) => this.remove(id),
      restore: (conversation) => {
        this.deleted.delete(conversation);
        return this.store.put(conversation);
      },
      imported: () => this.reloadCurrent(),
    });
    this.sidebar.running = (id) => this.answersOf(id).length > 0;
    this.composer = new Composer({ onSend: (text) => this.send(text), onStop: () => this.stop() });
    this.dialog = new SettingsDialog(this.settings, {
      conversation: () => this.conversation,
      onChange: (conversation) => this.settingsChanged(conversation),
      onKey: () => this.loadModels(),
    });
    byId('new-chat').addEventListener('click', () => this.newChat());
    byId('new-chat-top').addEventListener('click', () => this.newChat());
    byId('model').addEventListener('change', (event) => {
      this.settings.model = event.target.value;
      saveSettings(this.settings);
      this.showContext();
    });
    byId('think').addEventListener('click', () => {
      this.settings.thinking = !this.settings.thinking;
      saveSettings(this.settings);
      this.settingsChanged(false);
    });
    byId('suggestions').addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) this.send(button.dataset.prompt);
    });
    setUpShortcuts({
      newChat: () => this.newChat(),
      search: () => this.sidebar.focusSearch(),
      stop: () => this.stop(),
      toggleSidebar: () => this.sidebar.toggle(),
      focusPrompt: () => this.composer.focus(),
      settings: () => this.dialog.open(),
      copyLast: () => this.copyLast(),
    });
    addEventListener('hashchange', () => this.showFromAddress());
    addEventListener('pagehide', () => this.leave());
    setInterval(() => this.tick(), kClockMs);
    this.settingsChanged(false);
  }

  // ---- models

  async loadModels() {
    const select = byId('model');
    try {
      this.models = await listModels();
      byId('offline').hidden = true;
    } catch (failure) {
      this.models = [];
      byId('offline').hidden = false;
      byId('offline-words').textContent = failure instanceof ApiError ? failure.message : String(failure);
      byId('offline-key').hidden = failure.status !== 401 && failure.status !== 403;
    }
    byId('offline-retry').onclick = () => this.loadModels();
    byId('offline-key').onclick = () => this.dialog.open('api-key');
    select.replaceChildren(...this.models.map(({ id }) => h('option', { value: id }, id)));
    if (!this.models.some(({ id }) => id === this.settings.model)) this.settings.model = this.models[0]?.id ?? '';
    select.value = this.settings.model;
    select.disabled = this.models.length === 0;
    this.showContext();
  }

  // ---- conversations

  async showFromAddress() {
    const id = location.hash.slice(1);
    if (this.conversation && id === this.conversation.id) return;
    const found = id ? this.answersOf(id)[0]?.conversation ?? await this.store.get(id) : null;
    this.show(found ?? newConversation(this.settings.system));
  }

  async openConversation(id) {
    this.sidebar.closeIfNarrow();
    if (id === this.conversation.id) return;
    location.hash = id;  // the rest follows from hashchange
  }

  newChat() {
    this.sidebar.closeIfNarrow();
    if (this.conversation.messages.length) {
      history.pushState(null, '', location.pathname);
      this.show(newConversation(this.settings.system));
      this.sidebar.refresh();
    }
    this.composer.focus();
  }

  show(conversation) {
    this.conversation = conversation;
    this.sidebar.current = conversation.id;
    for (const message of conversation.messages) {
      if (message.streaming && !this.answers.has(message.id)) {  // from an earlier visit
        delete message.streaming;
        message.finish = 'interrupted';
      }
    }
    this.redraw();
    this.thread.toEnd();
    this.sidebar.refresh();
  }

  redraw() {
    this.thread.show(this.conversation, this.answers, this.settings.openThoughts);
    this.composer.setBusy(this.answersOf(this.conversation.id).length > 0);
    document.title = this.conversation.messages.length ? `${this.conversation.title} – Ponder` : 'Ponder';
    this.showContext();
  }

  async reloadCurrent() {
    const saved = await this.store.get(this.conversation.id);
    if (saved && !this.answersOf(saved.id).length) this.show(saved);
  }

  async rename(id, title) {
    const conversation = id === this.conversation.id ? this.conversation : await this.store.get(id);
    if (!conversation) return;
    Object.assign(conversation, { title, named: true });
    await this.save(conversation);
    if (id === this.conversation.id) this.redraw();
  }

  async remove(id) {
    this.answersOf(id).forEach((answer) => answer.stop());
    const conversation = id === this.conversation.id ? this.conversation : await this.store.get(id);
    if (conversation) this.deleted.add(conversation);
    await this.store.remove(id);
    if (id === this.conversation.id) {
      history.replaceState(null, '', location.pathname);
      this.show(newConversation(this.settings.system));
    }
    return conversation;
  }

  async save(conversation) {
    if (!conversation.messages.length || this.deleted.has(conversation)) return;
    this.savedAt.set(conversation, performance.now());
    this.unsaved.set(conversation, (this.unsaved.get(conversation) ?? 0) + 1);
    try {
      await this.store.put(conversation);
    } catch (failure) {
      toast(`This conversation could not be stored: ${failure.message}`);
    }
    const open = this.unsaved.get(conversation) - 1;
    if (open) this.unsaved.set(conversation, open);
    else this.unsaved.delete(conversation);
  }

  // ---- answers

  answersOf(id) {
    return [...this.answers.values()].filter((answer) => answer.conversation.id === id);
  }

  send(text) {
    if (this.answersOf(this.conversation.id).length) return false;
    const last = shownPath(this.conversation).at(-1);
    const message = addMessage(this.conversation, last?.id ?? '', { content: text });
    if (!last) history.replaceState(null, '', `#${this.conversation.id}`);
    this.answer(message);
    return true;
  }

  editMessage(message, text) {
    if (this.answersOf(this.conversation.id).length) return;
    this.answer(addMessage(this.conversation, message.parent, { content: text }));
    this.composer.focus();
  }

  regenerate(message) {
    if (this.answersOf(this.conversation.id).length) return;
    const question = this.conversation.messages.find(({ id }) => id === message.parent);
    if (question) this.answer(question);
  }

  branch(message, step) {
    if (this.answersOf(this.conversation.id).length) return;
    if (switchBranch(this.conversation, message, step)) {
      this.save(this.conversation);
      this.redraw();
      const shown = shownPath(this.conversation).find(({ parent }) => parent === message.parent);
      this.thread.views.get(shown.id)?.foot.querySelector('.branches button:not([disabled])')?.focus();
    }
  }

  // Asks for an answer to `question`, beside those that it has.
  answer(question) {
    const { conversation } = this;
    const { model } = this.settings;
    const body = requestBody(this.settings, model, requestMessages(conversation, question));
    const message = addMessage(conversation, question.id, { role: 'assistant', model });
    const answer = new Answer(conversation, message, {
      onChange: () => this.changed(answer),
      onEnd: () => this.ended(answer),
    });
    this.answers.set(message.id, answer);
    this.redraw();
    this.thread.toEnd();
    announce('Waiting for the answer');
    this.save(conversation).then(() => this.sidebar.refresh());
    answer.run(body);
  }

  // A piece has come: drawn and saved now and then, not each time.
  changed(answer) {
    const { conversation, message } = answer;
    if (performance.now() - this.savedAt.get(conversation) > kSaveMs) this.save(conversation);
    const phase = message.content ? 'Answering' : 'Thinking';
    if (phase !== answer.phase) announce(phase);
    answer.phase = phase;
    answer.timer ??= setTimeout(() => this.draw(answer), answer.pause ?? kFrameMs);
  }

  // Drawing takes at most a quarter of the time, however slow it is.
  draw(answer) {
    const start = performance.now();
    answer.timer = null;
    if (!this.answers.has(answer.message.id)) return;
    this.thread.grow(answer.message, answer);
    answer.pause = Math.max(kFrameMs, 4 * (performance.now() - start));
  }

  ended(answer) {
    const { conversation, message } = answer;
    clearTimeout(answer.timer);
    this.answers.delete(message.id);
    conversation.updated = Date.now();
    this.save(conversation).then(() => this.sidebar.refresh());
    if (conversation !== this.conversation) return;
    const { following } = this.thread;
    this.redraw();
    if (following) this.thread.toEnd();
    announce(message.error ? 'The answer failed' : message.finish === 'stopped' ? 'Stopped' : 'Answer complete');
  }

  // Whether there was something to stop.
  stop() {
    const running = this.answersOf(this.conversation.id);
    running.forEach((answer) => answer.stop());
    return running.length > 0;
  }

  tick() {
    for (const answer of this.answersOf(this.conversation.id)) this.thread.grow(answer.message, answer);
  }

  leave() {
    const unsaved = new Set(this.unsaved.keys());
    for (const { conversation } of this.answers.values()) unsaved.add(conversation);
    for (const { message } of this.answers.values()) message.finish = 'interrupted';
    if (unsaved.size) this.store.writeJournal([...unsaved]);
  }

  copyLast() {
    const last = shownPath(this.conversation).findLast(({ role }) => role === 'assistant');
    if (last) copyText(last.content).then(() => toast('The last answer is copied.'));
  }

  // ---- what is around

  settingsChanged(ofConversation) {
    byId('think').setAttribute('aria-pressed', String(this.settings.thinking));
    if (ofConversation) this.save(this.conversation);
  }

  showContext() {
    const { context = null, reasons = true } = this.models.find(({ id }) => id === this.settings.model) ?? {};
    byId('think').hidden = !reasons;
    if (!this.conversation) return;
    const use = contextUse(shownPath(this.conversation), context);
    const meter = byId('context');
    meter.hidden = !use;
    if (!use) return;
    byId('context-words').replaceChildren(use.short, h('span', { class: 'wide' }, use.unit));
    const bar = byId('context-bar');
    bar.hidden = use.share === null;
    bar.value = use.share ?? 0;
    meter.classList.toggle('full', use.share > 0.9);
    meter.title = `This conversation takes ${use.short}${use.unit} of what the model can hold`;
  }
}
