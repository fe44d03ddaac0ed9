// The field for the next message, with the buttons for sending and stopping.
import { byId, icon } from './dom.js';

const kMaxHeight = 240;

export class Composer {
  // `onSend(text)` returns whether the text was taken; `onStop()`.
  constructor({ onSend, onStop }) {
    this.field = byId('prompt');
    this.button = byId('send');
    this.busy = false;
    this.onSend = onSend;
    this.onStop = onStop;
    // With a finger, Enter makes a line, as on every phone.
    const touch = matchMedia('(pointer: coarse)');
    this.field.addEventListener('input', () => this.fit());
    this.field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || touch.matches) return;
      event.preventDefault();
      if (!this.busy) this.send();
    });
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.busy) this.onStop();
      else this.send();
    });
    this.setBusy(false);
    this.fit();
  }

  send() {
    const text = this.field.value.trim();
    if (text && this.onSend(text)) this.set('');
  }

  set(text) {
    this.field.value = text;
    this.fit();
  }

  fit() {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, kMaxHeight)}px`;
    this.button.disabled = !this.busy && !this.field.value.trim();
  }

  setBusy(busy) {
    this.busy = busy;
    const label = busy ? 'Stop (Esc)' : 'Send';
    this.button.replaceChildren(icon(busy ? 'stop' : 'send'));
    this.button.setAttribute('aria-label', label);
    this.button.title = label;
    this.button.disabled = !busy && !this.field.value.trim();
  }

  focus() { this.field.focus(); }
}
