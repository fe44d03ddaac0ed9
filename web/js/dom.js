// Making elements. Text goes in as text: nothing here parses HTML.

// h('button', {class: 'a', onclick: f, 'aria-label': 'b'}, child, 'text', null)
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// One of the symbols at the top of the page.
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(name, label, onclick, attributes = {}) {
  return h('button', {
    type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...attributes,
  }, icon(name));
}

export const byId = (id) => document.getElementById(id);

// For those who hear the page: said once, politely.
export function announce(text) {
  byId('announcer').textContent = text;
}

let toastTimer = 0;

// A line at the bottom that goes away by itself, with at most one thing to do.
export function toast(text, action = null) {
  const box = byId('toast');
  clearTimeout(toastTimer);
  box.replaceChildren(h('span', {}, text));
  if (action) {
    box.append(h('button', {
      type: 'button', class: 'link-button', onclick: () => { box.hidden = true; action.run(); },
    }, action.label));
  }
  box.hidden = false;
  toastTimer = setTimeout(() => { box.hidden = true; }, 6000);
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // no permission, or a page that is neither local nor https
    const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

// Turns a copy button into a check mark for a moment.
export async function copyWithMark(button, text) {
  await copyText(text);
  button.replaceChildren(icon('check'));
  button.classList.add('done');
  announce('Copied');
  setTimeout(() => {
    button.replaceChildren(icon('copy'));
    button.classList.remove('done');
  }, 1500);
}
