// The settings: system prompts, sampling, thinking, the API key.
import { byId } from './dom.js';
import { kDefaultSettings, loadApiKey, saveApiKey, saveSettings } from './store.js';

const kTexts = ['system', 'temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'seed', 'budget'];
const kSwitches = ['thinking', 'openThoughts'];

export class SettingsDialog {
  // `onChange()` after anything was changed; `conversation()` is the one on the screen.
  constructor(settings, { conversation, onChange, onKey }) {
    this.settings = settings;
    this.conversation = conversation;
    this.onChange = onChange;
    this.onKey = onKey;
    this.dialog = byId('settings-dialog');
    byId('settings').addEventListener('click', () => this.open());
    byId('close-settings').addEventListener('click', () => this.dialog.close());
    byId('reset-settings').addEventListener('click', () => this.reset());
    this.dialog.addEventListener('input', (event) => this.take(event.target));
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener('submit', (event) => {
      event.preventDefault();
      this.dialog.close();
    });
  }

  open(field = null) {
    this.show();
    this.dialog.showModal();
    if (field) byId(field).focus();
  }

  show() {
    for (const name of kTexts) byId(`set-${name}`).value = this.settings[name];
    for (const name of kSwitches) byId(`set-${name}`).checked = this.settings[name];
    byId('set-this-system').value = this.conversation().system;
    byId('api-key').value = loadApiKey();
  }

  take(input) {
    if (input.id === 'api-key') {
      saveApiKey(input.value.trim());
      this.onKey();
    } else if (input.id === 'set-this-system') {
      this.conversation().system = input.value;
      this.onChange(true);
    } else if (input.validity.valid) {
      const name = input.id.slice('set-'.length);
      this.settings[name] = input.type === 'checkbox' ? input.checked : input.value;
      saveSettings(this.settings);
      this.onChange(false);
    }
  }

  reset() {
    const { model, system } = this.settings;
    Object.assign(this.settings, kDefaultSettings, { model, system });
    saveSettings(this.settings);
    this.show();
    this.onChange(false);
  }
}
