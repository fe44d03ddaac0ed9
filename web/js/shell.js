// What the chat and the status page share: the button for light and dark.
import { byId, icon } from './dom.js';

const kChoices = ['auto', 'light', 'dark'];
const kLabels = { auto: 'Theme: like the system', light: 'Theme: light', dark: 'Theme: dark' };
const kIcons = { auto: 'auto', light: 'sun', dark: 'moon' };

export function setUpThemeButton() {
  const button = byId('theme');
  const show = () => {
    const choice = document.documentElement.dataset.themeChoice;
    button.replaceChildren(icon(kIcons[choice]));
    button.title = kLabels[choice];
    button.setAttribute('aria-label', kLabels[choice]);
  };
  button.addEventListener('click', () => {
    const now = document.documentElement.dataset.themeChoice;
    const next = kChoices[(kChoices.indexOf(now) + 1) % kChoices.length];
    localStorage.setItem('ponder.theme', next);
    document.dispatchEvent(new CustomEvent('themechosen'));
  });
  document.addEventListener('themechange', show);
  show();
}
