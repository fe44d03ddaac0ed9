// An answer being written into its message, whether or not somebody looks at it.
import { streamChat } from './api.js';

// What the settings say, as fields of the request. Empty fields are left to the server.
export function requestBody(settings, model, messages) {
  const body = { model, messages, stream: true, stream_options: { include_usage: true } };
  const number = (field, name = field) => {
    const text = String(settings[field]).trim();
    if (text !== '' && Number.isFinite(Number(text))) body[name] = Number(text);
  };
  ['temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'seed'].forEach((field) => number(field));
  if (settings.thinking) number('budget', 'max_thinking_tokens');
  else body.chat_template_kwargs = { enable_thinking: false };
  return body;
}

export class Answer {
  // `onChange(message)` is called for every piece, `onEnd(message)` once.
  constructor(conversation, message, { onChange, onEnd }) {
    this.conversation = conversation;
    this.message = message;
    this.onChange = onChange;
    this.onEnd = onEnd;
    this.abort = new AbortController();
    this.started = performance.now();
    this.thinkingSince = null;
    this.answerSince = null;
  }

  stop() { this.abort.abort(); }

  async run(body) {
    const { message } = this;
    message.streaming = true;
    try {
      await streamChat(body, this.abort.signal, (event) => this.take(event));
    } catch (failure) {
      if (failure.name === 'AbortError') message.finish = 'stopped';
      else message.error = { message: failure.message, status: failure.status ?? 0 };
    }
    this.close();
    delete message.streaming;
    this.onEnd(message);
  }

  take({ reasoning, content, finish, usage, timings }) {
    const { message } = this;
    const now = performance.now();
    if (reasoning || content) {
      message.firstMs ??= now - this.started;
      message.tokens = (message.tokens ?? 0) + 1;
    }
    if (reasoning) {
      this.thinkingSince ??= now;
      message.reasoning = (message.reasoning ?? '') + reasoning;
      message.thinkingTokens = (message.thinkingTokens ?? 0) + 1;
    }
    if (content) {
      if (this.answerSince === null) {
        this.answerSince = now;
        if (this.thinkingSince !== null) message.thinkingMs = now - this.thinkingSince;
      }
      message.content += content;
    }
    if (finish) message.finish = finish;
    if (timings) message.timings = timings;
    if (usage) this.takeUsage(usage);
    message.answerMs = now - this.started;
    this.onChange(message);
  }

  // The server's own counts replace ours, which take each piece for a token.
  takeUsage(usage) {
    const { message } = this;
    message.usage = { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens };
    if (Number.isSafeInteger(usage.completion_tokens)) message.tokens = usage.completion_tokens;
    const thought = usage.completion_tokens_details?.reasoning_tokens;
    if (Number.isSafeInteger(thought) && thought > 0) message.thinkingTokens = thought;
  }

  close() {
    if (this.thinkingSince !== null && this.answerSince === null) {
      this.message.thinkingMs = performance.now() - this.thinkingSince;
    }
  }

  // How long it has been thinking, or waiting for a first token.
  get thinkingMs() { return this.message.thinkingMs ?? (this.thinkingSince === null ? 0 : performance.now() - this.thinkingSince); }
  get waitingMs() { return performance.now() - this.started; }
}

// Tokens a second: the server's figure, or ours from the first token on.
export function speedOf(message) {
  const theirs = message.timings?.predicted_per_second;
  if (Number.isFinite(theirs) && theirs > 0) return theirs;
  const ms = (message.answerMs ?? 0) - (message.firstMs ?? 0);
  return message.tokens > 1 && ms > 0 ? (message.tokens - 1) * 1000 / ms : null;
}
