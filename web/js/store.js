// Conversations in the browser's own database (IndexedDB), settings in localStorage. Nothing leaves
// the browser but requests for answers.
import { cleanConversation, matches } from './tree.js';

const kDatabase = 'ponder';
const kTable = 'conversations';
const kJournal = 'ponder.unsaved';

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase() {
  const request = indexedDB.open(kDatabase, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(kTable, { keyPath: 'id' });
  return promised(request);
}

const summary = ({ id, title, updated }) => ({ id, title, updated });

// All methods return promises. Without a database (a private window, perhaps) conversations last as
// long as the page; `persistent` tells.
export class ConversationStore {
  static async open() {
    const store = new ConversationStore();
    store.memory = new Map();
    try {
      store.database = await openDatabase();
    } catch {
      store.database = null;
    }
    await store.recoverJournal();
    return store;
  }

  get persistent() { return this.database !== null; }

  table(mode) { return this.database.transaction(kTable, mode).objectStore(kTable); }

  async put(conversation) {
    if (this.database) {
      const request = this.table('readwrite').put(conversation);
      request.transaction.commit?.();  // at once: the page may be left next
      await promised(request);
    } else this.memory.set(conversation.id, structuredClone(conversation));
  }

  async get(id) {
    if (this.database) return promised(this.table('readonly').get(id));
    return this.memory.get(id);
  }

  async remove(id) {
    if (this.database) await promised(this.table('readwrite').delete(id));
    else this.memory.delete(id);
  }

  async all() {
    if (this.database) return promised(this.table('readonly').getAll());
    return [...this.memory.values()];
  }

  // {id, title, updated} of those that have all words of `query`, latest first. One conversation is
  // in memory at a time.
  async list(query = '') {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    const look = (conversation) => {
      if (matches(conversation, words)) found.push(summary(conversation));
    };
    if (this.database) {
      await new Promise((resolve, reject) => {
        const request = this.table('readonly').openCursor();
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const cursor = request.result;
          if (!cursor) return resolve();
          look(cursor.value);
          return cursor.continue();
        };
      });
    } else {
      this.memory.forEach(look);
    }
    return found.sort((a, b) => b.updated - a.updated);
  }

  // The database may not finish while a page is being left, localStorage does: what is being
  // written waits there for the next visit.
  writeJournal(conversations) {
    try {
      localStorage.setItem(kJournal, JSON.stringify(conversations));
    } catch { /* too large: the last regular save must do */ }
  }

  async recoverJournal() {
    let saved;
    try {
      saved = JSON.parse(localStorage.getItem(kJournal) ?? '[]');
      localStorage.removeItem(kJournal);
    } catch {
      saved = [];
    }
    for (const raw of Array.isArray(saved) ? saved : []) {
      const conversation = cleanConversation(raw);
      if (conversation) await this.put(conversation);
    }
  }

  async exportText() {
    return JSON.stringify({ format: 'ponder-conversations', version: 1, conversations: await this.all() }, null, 1);
  }

  // The number of conversations taken in; those that are known already are replaced only by newer
  // ones. Throws an Error that tells what is wrong with the file.
  async importText(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch {
      throw new Error('This file is not JSON.');
    }
    if (file?.format !== 'ponder-conversations' || !Array.isArray(file.conversations)) {
      throw new Error('This file holds no conversations exported from here.');
    }
    let taken = 0;
    for (const raw of file.conversations.slice(0, 100000)) {
      const conversation = cleanConversation(raw);
      if (!conversation) continue;
      const known = await this.get(conversation.id);
      if (known && known.updated >= conversation.updated) continue;
      await this.put(conversation);
      taken += 1;
    }
    return taken;
  }
}

export const kDefaultSettings = {
  system: '', temperature: '', top_p: '', top_k: '', min_p: '', max_tokens: '', seed: '',
  thinking: true, budget: '', model: '', openThoughts: false,
};

export function loadSettings() {
  try {
    const saved = JSON.parse(localStorage.getItem('ponder.settings') ?? '{}');
    const settings = { ...kDefaultSettings };
    for (const [name, standard] of Object.entries(kDefaultSettings)) {
      if (typeof saved[name] === typeof standard) settings[name] = saved[name];
    }
    return settings;
  } catch {
    return { ...kDefaultSettings };
  }
}

export function saveSettings(settings) {
  try {
    localStorage.setItem('ponder.settings', JSON.stringify(settings));
  } catch { /* kept for this visit */ }
}

export function loadApiKey() {
  try {
    return localStorage.getItem('ponder.apiKey') ?? '';
  } catch {
    return '';
  }
}

export function saveApiKey(key) {
  try {
    if (key) localStorage.setItem('ponder.apiKey', key);
    else localStorage.removeItem('ponder.apiKey');
  } catch { /* kept for this visit */ }
}
