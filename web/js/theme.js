// Light or dark, before anything is painted. A classic script in the head, therefore no module;
// the button that turns it is in shell.js.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');

  function apply() {
    let chosen = 'auto';
    try {
      chosen = localStorage.getItem('ponder.theme') || 'auto';
    } catch { /* storage is forbidden: follow the system */ }
    const wanted = chosen === 'light' || chosen === 'dark' ? chosen : 'auto';
    const root = document.documentElement;
    root.dataset.themeChoice = wanted;
    root.dataset.theme = wanted === 'auto' ? (dark.matches ? 'dark' : 'light') : wanted;
    document.dispatchEvent(new CustomEvent('themechange'));
  }

  dark.addEventListener('change', apply);
  addEventListener('storage', apply);
  document.addEventListener('themechosen', apply);
  apply();
})();
