// What a model writes, made into elements. It is hostile: it goes through marked (of its HTML only a
// few bare tags survive, the rest is shown as text), then through DOMPurify with a short list of what
// may be, and formulas and code are put in afterwards. Formulas are built by KaTeX as elements, never
// as HTML, so that the page needs no inline styles.
import { copyWithMark, h, iconButton } from './dom.js';

const { marked, DOMPurify, katex, hljs } = window;

// Debian 12's DOMPurify (2.4.1+deb12u1) reads a variable of another of its functions, and so fails on
// every input. An empty object by that name lets it pass; the check of depth that it spoils is done
// again for every element. Without this all answers would be plain text.
window.shadowNode ??= {};

const kMaxFormula = 5000;
const kMaxHighlighted = 20000;
const kMaxBlock = 200000;
const kMaxNesting = 60;

const kPurify = {
  ALLOWED_TAGS: ['p', 'br', 'hr', 'strong', 'em', 'del', 'b', 'i', 'u', 's', 'sub', 'sup', 'kbd', 'mark',
    'small', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'a', 'span',
    'table', 'thead', 'tbody', 'tr', 'th', 'td', 'details', 'summary'],
  ALLOWED_ATTR: ['href', 'title', 'class', 'start', 'align'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};
const kPurifyCode = { ...kPurify, ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'] };

// HTML that models write in Markdown and that means no more than a letter's style.
const kBareTag = /<\/?(?:br|sub|sup|kbd|mark|b|i|u|s|small|details|summary)\s*\/?>/gi;

// Defining macros is how a formula can grow without end; KaTeX's own limits do not catch all of it.
const kMacro = /\\(?:[egx]?def|let|futurelet|global|(?:re)?newcommand|providecommand|DeclareMathOperator)\b/;

const kEscapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text) => text.replace(/[&<>"']/g, (c) => kEscapes[c]);

const bareHtml = (text) => {
  let html = '';
  let end = 0;
  for (const tag of text.matchAll(kBareTag)) {
    html += escapeHtml(text.slice(end, tag.index)) + tag[0];
    end = tag.index + tag[0].length;
  }
  return html + escapeHtml(text.slice(end));
};

const safeLink = (href) => /^(?:https?:\/\/|mailto:)/i.test(href ?? '');

// The formula at the start of `text` between the given marks, or undefined.
function between(text, open, close, display) {
  const end = text.slice(0, kMaxFormula).indexOf(close, open.length);
  if (end < 0) return undefined;
  const tex = text.slice(open.length, end);
  if (!tex.trim() || /\n\s*\n/.test(tex)) return undefined;
  return { type: 'math', raw: text.slice(0, end + close.length), tex, display };
}

// $…$ as pandoc has it: no space inside at the ends, no digit behind, so that prices stay prices.
function dollars(text) {
  if (!/^\$[^\s$]/.test(text)) return undefined;
  const line = text.slice(0, 1000).split('\n\n', 1)[0];
  for (let i = 1; i < line.length; i += 1) {
    if (line[i] === '\\') i += 1;
    else if (line[i] === '`') return undefined;
    else if (line[i] === '$') {
      if (/\s/.test(line[i - 1]) || /\d/.test(line[i + 1] ?? '')) return undefined;
      return { type: 'math', raw: line.slice(0, i + 1), tex: line.slice(1, i), display: false };
    }
  }
  return undefined;
}

function inlineFormula(text) {
  if (text.startsWith('$$')) return between(text, '$$', '$$', true);
  if (text.startsWith('\\(')) return between(text, '\\(', '\\)', false);
  if (text.startsWith('\\[')) return between(text, '\\[', '\\]', true);
  return dollars(text);
}

// A formula that stands alone on its lines.
function blockFormula(text) {
  const indent = /^ {0,3}/.exec(text)[0].length;
  const rest = text.slice(indent);
  const found = rest.startsWith('$$') ? between(rest, '$$', '$$', true)
    : rest.startsWith('\\[') ? between(rest, '\\[', '\\]', true) : undefined;
  if (!found) return undefined;
  const after = /^[ \t]*(?:\n+|$)/.exec(rest.slice(found.raw.length));
  if (!after) return undefined;
  return { ...found, type: 'mathBlock', raw: text.slice(0, indent + found.raw.length + after[0].length) };
}

const starts = (pattern) => (text) => {
  const at = text.search(pattern);
  return at < 0 ? undefined : at;
};

const formulaHtml = (token) => `<span class="math${token.display ? ' display' : ''}">${escapeHtml(token.tex)}</span>`;

marked.use({
  mangle: false, headerIds: false, gfm: true,
  extensions: [
    { name: 'mathBlock', level: 'block', start: starts(/(?<=\n) {0,3}(?:\$\$|\\\[)/), tokenizer: blockFormula,
      renderer: formulaHtml },
    { name: 'math', level: 'inline', start: starts(/\$|\\\(|\\\[/), tokenizer: inlineFormula, renderer: formulaHtml },
  ],
  renderer: {
    html: bareHtml,
    code(text, info) {
      const language = /^[\w+#.-]{1,30}/.exec(info ?? '')?.[0] ?? '';
      return `<pre><code class="language-${escapeHtml(language)}">${escapeHtml(text)}</code></pre>`;
    },
    // Nothing is loaded because a model says so: a picture is a link to it.
    image(href, title, text) {
      const words = text || 'picture';
      return safeLink(href) ? `<a href="${escapeHtml(href)}">${words}</a>` : words;
    },
    link(href, title, text) {
      return safeLink(href) ? `<a href="${escapeHtml(href)}">${text}</a>` : text;
    },
    checkbox: (checked) => (checked ? '☑ ' : '☐ '),
  },
});

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  if (!safeLink(node.getAttribute('href'))) node.removeAttribute('href');
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

function showFormula(element) {
  const tex = element.textContent;
  const display = element.classList.contains('display');
  try {
    if (tex.length > kMaxFormula || kMacro.test(tex)) throw new Error('not shown');
    katex.render(tex, element, { displayMode: display, throwOnError: true, trust: false, strict: false,
      maxSize: 20, maxExpand: 200 });
  } catch {
    element.replaceChildren(display ? `\\[${tex}\\]` : `\\(${tex}\\)`);
    element.classList.add('broken');
  }
}

function highlight(code, language) {
  const text = code.textContent;
  if (!language || !hljs.getLanguage(language) || text.length > kMaxHighlighted) return;
  try {
    code.replaceChildren(DOMPurify.sanitize(hljs.highlight(language, text, true).value, kPurifyCode));
  } catch { /* stays plain */ }
}

function codeBox(pre, code, language, finished) {
  if (finished || code.textContent.length < 4000) highlight(code, language);
  const copy = iconButton('copy', 'Copy code', () => copyWithMark(copy, code.textContent));
  pre.setAttribute('tabindex', '0');
  return h('div', { class: 'code-box' },
    h('div', { class: 'code-head' }, h('span', {}, language || 'text'), copy), pre);
}

function dressCode(pre, finished) {
  const code = pre.querySelector('code');
  if (!code) return;
  const language = /language-([\w+#.-]+)/.exec(code.className)?.[1]?.toLowerCase() ?? '';
  code.className = '';
  const place = document.createComment('');
  pre.replaceWith(place);
  place.replaceWith(codeBox(pre, code, language, finished));
}

const kFence = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*$/;

// What a person wrote: every letter as it is, but code between fences as code.
export function writtenText(text) {
  const fragment = document.createDocumentFragment();
  const lines = text.split('\n');
  let plainLines = [];
  const endPlain = () => {
    if (plainLines.length) fragment.append(h('div', {}, plainLines.join('\n')));
    plainLines = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const fence = kFence.exec(lines[i]);
    if (!fence) {
      plainLines.push(lines[i]);
      continue;
    }
    const closes = (line) => line.trim().startsWith(fence[1]) && !line.trim().replaceAll(fence[1][0], '');
    let end = i + 1;
    while (end < lines.length && !closes(lines[end])) end += 1;
    endPlain();
    const code = h('code', {}, lines.slice(i + 1, end).join('\n'));
    fragment.append(codeBox(h('pre', {}, code), code, fence[2].toLowerCase(), true));
    i = end;
  }
  endPlain();
  return fragment;
}

// The elements of some of marked's tokens. `finished` is false while the last block still grows.
function renderTokens(tokens, finished) {
  const fragment = DOMPurify.sanitize(marked.parser(tokens), kPurify);
  fragment.querySelectorAll('span.math').forEach(showFormula);
  fragment.querySelectorAll('pre').forEach((pre) => dressCode(pre, finished));
  fragment.querySelectorAll('table').forEach((table) => {
    const box = h('div', { class: 'table-box', tabindex: '0' });
    table.replaceWith(box);
    box.append(table);
  });
  return fragment;
}

const plain = (text) => h('p', { class: 'plain' }, text);

// As marked makes it before it counts letters, so that positions in its tokens are positions here.
const normalised = (text) => text.replace(/\r\n?/g, '\n')
  .replace(/^[ \t]+/gm, (space) => space.replaceAll('\t', '    '));

// Quotes and lists nested so deep that a parser would take for ever.
const tooDeep = (text) => new RegExp(`^(?:[ \\t]*(?:>|[-+*]|\\d{1,9}[.)])){${kMaxNesting}}`, 'm').test(text) ||
  /[[\]*_~`<(]{400}/.test(text);

function lex(text) {
  try {
    if (text.length > kMaxBlock || tooDeep(text)) return null;
    return marked.lexer(text);
  } catch {
    return null;
  }
}

function renderBlock(tokens, finished) {
  try {
    return renderTokens(tokens, finished);
  } catch {
    return plain(tokens.map((token) => token.raw).join(''));
  }
}

// Shows a text that grows. Blocks that are complete stay as they are; only the last is made anew, so
// that the cost of a step does not grow with the text.
export class MarkdownView {
  constructor(element) {
    this.element = element;
    this.reset();
  }

  reset() {
    this.element.replaceChildren();
    this.written = null;  // what was shown last …
    this.finished = null;  // … and whether it was complete
    this.text = '';
    this.settled = 0;  // up to where blocks are complete
    this.tail = null;  // the element of the last block
  }

  update(written, finished) {
    if (written === this.written && finished === this.finished) return;
    const text = normalised(written);
    if (!text.startsWith(this.text)) this.reset();
    Object.assign(this, { written, finished, text });
    // A definition of a link further down changes what stands above.
    if (finished && this.settled && /^ {0,3}\[[^\]\n]+\]:/m.test(text)) {
      this.reset();
      Object.assign(this, { written, finished, text });
    }
    const rest = text.slice(this.settled);
    const tokens = lex(`${rest}\n`);  // code is code only once its line ends
    this.tail?.remove();
    this.tail = null;
    if (!tokens) {
      if (rest.trim()) this.tail = this.addBlock(plain(rest));
      return;
    }
    let last = tokens.length - 1;
    while (last > 0 && tokens[last].type === 'space') last -= 1;
    tokens.forEach((token, index) => {
      if (index > last || token.type === 'space') {
        if (index < last) this.settled += token.raw.length;
        return;
      }
      const settled = index < last;
      const block = this.addBlock(renderBlock([token], settled || finished));
      if (settled) this.settled += token.raw.length;
      else this.tail = block;
    });
  }

  addBlock(content) {
    const block = h('div', { class: 'block' }, content);
    this.element.append(block);
    return block;
  }
}
