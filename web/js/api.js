// The server, as the pages see it: its models, and answers as they are written.
import { loadApiKey } from './store.js';

// `status` is 0 if the server could not be reached, or was lost in the middle of an answer.
export class ApiError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

function headers(more = {}) {
  const key = loadApiKey();
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers) });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    if (failure instanceof TypeError && /header|ISO-8859-1|ByteString/i.test(failure.message)) {
      throw new ApiError('The API key has letters that no key can have.', 401);
    }
    throw new ApiError('The server cannot be reached. Is ponder serve running?');
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response) {
  let message = '';
  try {
    message = (await response.json()).error?.message;
  } catch { /* not the error of an API */ }
  if (typeof message !== 'string' || !message) message = `The server answered with status ${response.status}.`;
  const wait = Number(response.headers.get('Retry-After'));
  if (response.status === 429 && wait > 0) message += ` Try again in ${wait} s.`;
  return new ApiError(message, response.status);
}

// [{id, context, reasons}], context in tokens or null; a model that does not tell may reason.
export async function listModels() {
  const answer = await (await request('v1/models')).json();
  const list = Array.isArray(answer?.data) ? answer.data : [];
  return list.filter((model) => typeof model?.id === 'string').map((model) => {
    const context = model.meta?.n_ctx ?? model.max_model_len;
    return {
      id: model.id,
      context: Number.isSafeInteger(context) && context > 0 ? context : null,
      reasons: model.meta?.reasons !== false,
    };
  });
}

export async function metricsText() {
  return (await request('metrics')).text();
}

// The data of each server-sent event.
export async function* serverEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (buffer + value).split('\n');
      buffer = lines.pop();
      for (const raw of lines) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
        if (line === '' && data.length) {
          yield data.join('\n');
          data = [];
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Asks for an answer and calls `on` for each piece: {reasoning, content, finish, usage, timings}, each
// only if it is there. Returns when the answer is complete; throws ApiError, or AbortError.
export async function streamChat(body, signal, on) {
  const response = await request('v1/chat/completions', {
    method: 'POST', signal, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' },
  });
  let complete = false;
  try {
    for await (const data of serverEvents(response.body)) {
      if (data.startsWith('[DONE]')) return;
      const event = parseEvent(data);
      if (event.finish) complete = true;
      on(event);
    }
  } catch (failure) {
    if (failure.name === 'AbortError' || failure instanceof ApiError) throw failure;
    throw new ApiError('The connection was lost in the middle of the answer.');
  }
  if (!complete) throw new ApiError('The connection was lost in the middle of the answer.');
}

function parseEvent(data) {
  let chunk;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw new ApiError('The server sent something that is no answer.');
  }
  if (chunk?.error) throw new ApiError(String(chunk.error.message ?? 'The server failed.'), Number(chunk.error.code) || 0);
  const choice = chunk?.choices?.[0];
  const text = (value) => (typeof value === 'string' ? value : '');
  return {
    reasoning: text(choice?.delta?.reasoning_content ?? choice?.delta?.reasoning),
    content: text(choice?.delta?.content),
    finish: text(choice?.finish_reason),
    usage: chunk?.usage ?? null,
    timings: chunk?.timings ?? null,
  };
}
