// A conversation: a tree of messages, of which one path is shown. Editing a message or asking for
// another answer adds a sibling; nothing is overwritten.
//
//   {id, title, named, system, created, updated, messages: [message …], choice: {parent: child}}
//   message: {id, parent, role, content, reasoning, …}; parents stand before their children, the
//   parent of the first is ''. `choice` tells which child of a parent is shown; else the last is.

const kTitleLength = 60;

export const newId = () => crypto.randomUUID?.() ??
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

export function newConversation(system = '') {
  const now = Date.now();
  return { id: newId(), title: 'New chat', named: false, system, created: now, updated: now,
    messages: [], choice: {} };
}

export function childrenOf(conversation, parent) {
  return conversation.messages.filter((message) => message.parent === parent);
}

// The messages that are shown, first to last.
export function shownPath(conversation) {
  const children = Map.groupBy ? Map.groupBy(conversation.messages, (m) => m.parent)
    : conversation.messages.reduce((map, m) => map.set(m.parent, [...(map.get(m.parent) ?? []), m]), new Map());
  const path = [];
  for (let parent = ''; children.has(parent);) {
    const siblings = children.get(parent);
    const chosen = siblings.find((m) => m.id === conversation.choice[parent]) ?? siblings.at(-1);
    path.push(chosen);
    parent = chosen.id;
  }
  return path;
}

// Adds a message and shows it.
export function addMessage(conversation, parent, fields) {
  const message = { id: newId(), parent, role: 'user', content: '', created: Date.now(), ...fields };
  conversation.messages.push(message);
  conversation.choice[parent] = message.id;
  conversation.updated = Date.now();
  if (!conversation.named && conversation.messages.length === 1) {
    conversation.title = titleFrom(message.content);
  }
  return message;
}

export function titleFrom(text) {
  const line = text.trim().split('\n', 1)[0].replace(/\s+/g, ' ');
  const letters = Array.from(line);
  return letters.length > kTitleLength ? `${letters.slice(0, kTitleLength - 1).join('')}…` : line || 'New chat';
}

// Shows the sibling `step` places further, if there is one.
export function switchBranch(conversation, message, step) {
  const siblings = childrenOf(conversation, message.parent);
  const next = siblings[siblings.indexOf(message) + step];
  if (next) conversation.choice[message.parent] = next.id;
  return Boolean(next);
}

// What the model is told: the path up to and including `last`. Thoughts stay here, and so does
// an answer that has no text.
export function requestMessages(conversation, last) {
  const messages = conversation.system.trim() ? [{ role: 'system', content: conversation.system }] : [];
  for (const message of shownPath(conversation)) {
    if (message.role === 'user' || message.content) {
      messages.push({ role: message.role, content: message.content });
    }
    if (message === last) break;
  }
  return messages;
}

export function matches(conversation, words) {
  const text = [conversation.title, ...conversation.messages.map((m) => m.content)].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

const isText = (value) => typeof value === 'string';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// A usage or timings object with its numbers only; undefined if it is none.
function numbersOf(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, number]) => isNumber(number)).slice(0, 32));
}

function cleanMessage(raw, known) {
  if (typeof raw !== 'object' || raw === null || !isText(raw.id) || !raw.id || known.has(raw.id)) return null;
  if (raw.role !== 'user' && raw.role !== 'assistant') return null;
  if (!isText(raw.content) || (raw.parent !== '' && !known.has(raw.parent))) return null;
  const message = { id: raw.id.slice(0, 64), parent: raw.parent, role: raw.role, content: raw.content,
    created: isCount(raw.created) ? raw.created : Date.now() };
  for (const field of ['reasoning', 'model', 'finish']) {
    if (isText(raw[field])) message[field] = raw[field];
  }
  for (const field of ['thinkingMs', 'tokens', 'thinkingTokens', 'firstMs', 'answerMs']) {
    if (isNumber(raw[field])) message[field] = raw[field];
  }
  for (const field of ['usage', 'timings']) message[field] = numbersOf(raw[field]);
  if (isText(raw.error?.message)) message.error = { message: raw.error.message.slice(0, 2000) };
  return message;
}

// A conversation from a file: what is well-formed of it, or null. Parents come first, so there are
// no cycles.
export function cleanConversation(raw) {
  if (typeof raw !== 'object' || raw === null || !Array.isArray(raw.messages)) return null;
  const conversation = newConversation(isText(raw.system) ? raw.system : '');
  if (isText(raw.id) && /^[\w-]{1,64}$/.test(raw.id)) conversation.id = raw.id;
  if (isText(raw.title)) conversation.title = raw.title.slice(0, 200) || 'New chat';
  conversation.named = raw.named === true;
  for (const field of ['created', 'updated']) {
    if (isCount(raw[field])) conversation[field] = raw[field];
  }
  const known = new Set();
  for (const entry of raw.messages.slice(0, 100000)) {
    const message = cleanMessage(entry, known);
    if (!message) continue;
    known.add(message.id);
    conversation.messages.push(message);
  }
  for (const message of conversation.messages) {
    const chosen = raw.choice?.[message.parent];
    if (isText(chosen) && known.has(chosen)) conversation.choice[message.parent] = chosen;
  }
  return conversation.messages.length ? conversation : null;
}
