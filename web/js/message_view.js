// One message on the screen.
import { copyWithMark, h, icon, iconButton } from './dom.js';
import { formatCount, formatFine, formatSeconds, plural } from './format.js';
import { MarkdownView, writtenText } from './markdown.js';
import { speedOf } from './answer.js';

const kFinishWords = {
  stopped: 'Stopped.',
  length: 'Cut off: the limit of tokens was reached.',
  interrupted: 'Interrupted: the page was left before the answer was complete.',
  content_filter: 'Withheld by the server.',
};

// `actions`: {regenerate, edit, switchBranch, retry, openSettings}, each taking the message.
export class MessageView {
  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    const mine = message.role === 'user';
    this.body = h('div', { class: 'message-body' });
    this.foot = h('div', { class: 'message-foot' });
    this.element = h('article', {
      class: `message ${message.role}`, 'aria-label': mine ? 'You' : 'Answer', 'data-id': message.id,
    }, this.body, this.foot);
    if (mine) this.showQuestion();
    else this.buildAnswer();
  }

  showQuestion() {
    this.body.replaceChildren(h('div', { class: 'bubble' }, writtenText(this.message.content)));
    this.foot.hidden = false;
  }

  buildAnswer() {
    this.thoughts = new MarkdownView(h('div', { class: 'markdown thoughts' }));
    this.thinkingLabel = h('span', { class: 'thinking-label' });
    this.thinking = h('details', { class: 'thinking', ontoggle: () => this.showThoughts() },
      h('summary', {}, icon('think'), this.thinkingLabel, icon('chevron')), this.thoughts.element);
    this.thinking.hidden = true;
    this.waiting = h('div', { class: 'waiting' }, h('span', { class: 'pulse', 'aria-hidden': 'true' }), h('span'));
    this.text = new MarkdownView(h('div', { class: 'markdown' }));
    this.notice = h('div', { class: 'notice', role: 'alert' });
    this.body.append(this.thinking, this.waiting, this.text.element, this.notice);
  }

  openThoughts(open) {
    if (this.thinking) this.thinking.open = open;
  }

  showThoughts() {
    if (this.thinking.open) this.thoughts.update(this.message.reasoning ?? '', !this.message.streaming);
  }

  // Everything that may have changed. `answer` is the running Answer or null; `branch` is
  // {index, count} among siblings.
  refresh(answer, branch) {
    if (this.message.role === 'assistant') {
      this.refreshLive(answer);
      this.showNotice(answer);
    }
    this.showFoot(answer, branch);
  }

  // What changes while an answer is written.
  refreshLive(answer) {
    const { message } = this;
    this.element.setAttribute('aria-busy', String(Boolean(answer)));
    this.text.update(message.content, !answer);
    this.text.element.classList.toggle('growing', Boolean(answer && message.content));
    this.thinking.hidden = !message.reasoning;
    this.thinking.classList.toggle('live', Boolean(answer && !message.content));
    if (message.reasoning) {
      this.thinkingLabel.textContent = this.thinkingWords(answer);
      this.showThoughts();
    }
    this.showWaiting(answer);
  }

  thinkingWords(answer) {
    const { message } = this;
    const ms = answer ? answer.thinkingMs : message.thinkingMs ?? 0;
    const count = message.thinkingTokens ? ` · ${plural(message.thinkingTokens, 'token')}` : '';
    if (answer && !message.content) return `Thinking… ${formatSeconds(ms)}${count}`;
    return `Thought for ${ms < 1000 ? 'less than a second' : formatSeconds(ms)}${count}`;
  }

  showWaiting(answer) {
    const waits = Boolean(answer && !this.message.content && !this.message.reasoning);
    this.waiting.hidden = !waits;
    if (waits) {
      const ms = answer.waitingMs;
      this.waiting.lastChild.textContent = ms > 2000 ? `Reading the prompt… ${formatSeconds(ms)}` : '';
    }
  }

  showNotice(answer) {
    const { message } = this;
    const words = kFinishWords[message.finish];
    this.notice.hidden = Boolean(answer) || (!message.error && !words);
    this.notice.classList.toggle('error', Boolean(message.error));
    this.notice.replaceChildren();
    if (this.notice.hidden) return;
    this.notice.append(h('span', {}, message.error ? message.error.message : words));
    if (!message.error) return;
    if (message.error.status === 401 || message.error.status === 403) {
      this.notice.append(h('button', { type: 'button', class: 'link-button',
        onclick: () => this.actions.openSettings('api-key') }, 'Enter the API key'));
    }
    this.notice.append(h('button', { type: 'button', class: 'link-button retry',
      onclick: () => this.actions.retry(message) }, 'Retry'));
  }

  showFoot(answer, branch) {
    const { message } = this;
    this.foot.replaceChildren();
    if (answer) return;
    if (branch.count > 1) this.foot.append(this.branchSwitch(branch));
    const copy = iconButton('copy', 'Copy', () => copyWithMark(copy, message.content));
    this.foot.append(copy);
    if (message.role === 'user') {
      this.foot.append(iconButton('edit', 'Edit', () => this.edit(), { class: 'icon-button edit' }));
    } else {
      this.foot.append(iconButton('again', 'Answer again', () => this.actions.regenerate(message),
        { class: 'icon-button regenerate' }));
      const stats = this.statsWords();
      if (stats) this.foot.append(h('span', { class: 'stats' }, stats));
    }
  }

  branchSwitch({ index, count }) {
    return h('div', { class: 'branches', role: 'group', 'aria-label': 'Versions' },
      iconButton('left', 'Previous version', () => this.actions.switchBranch(this.message, -1),
        { disabled: index === 0 }),
      h('span', {}, `${index + 1}/${count}`),
      iconButton('right', 'Next version', () => this.actions.switchBranch(this.message, 1),
        { disabled: index === count - 1 }));
  }

  statsWords() {
    const { message } = this;
    const speed = speedOf(message);
    return [
      message.tokens ? plural(message.tokens, 'token') : null,
      speed ? `${formatFine(speed)} tokens/s` : null,
      message.firstMs ? `first after ${formatFine(message.firstMs / 1000)} s` : null,
    ].filter(Boolean).join(' · ');
  }

  edit() {
    const area = h('textarea', { class: 'edit-area', 'aria-label': 'Edit your message', rows: 3 });
    area.value = this.message.content;
    const cancel = () => {
      this.showQuestion();
      this.foot.querySelector('.edit')?.focus();
    };
    const save = () => {
      const text = area.value.trim();
      if (!text) return;
      this.showQuestion();
      this.actions.edit(this.message, text);
    };
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        cancel();
      }
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        save();
      }
    });
    this.foot.hidden = true;
    this.body.replaceChildren(h('div', { class: 'edit-box' }, area,
      h('div', { class: 'edit-buttons' },
        h('button', { type: 'button', class: 'quiet-button', onclick: cancel }, 'Cancel'),
        h('button', { type: 'button', class: 'main-button', onclick: save }, 'Send'))));
    area.style.height = `${Math.min(area.scrollHeight + 4, 400)}px`;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}

// Prompt and answer of the latest message that knows, against what the model can hold.
export function contextUse(path, context) {
  const last = path.findLast((message) => message.usage);
  const used = (last?.usage.prompt_tokens ?? 0) + (last?.usage.completion_tokens ?? 0);
  if (!used) return null;
  return { share: context ? Math.min(1, used / context) : null, unit: used === 1 && !context ? ' token' : ' tokens',
    short: context ? `${formatCount(used)} of ${formatCount(context)}` : formatCount(used) };
}
