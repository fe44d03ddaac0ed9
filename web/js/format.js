// Numbers as people read them.

export const formatCount = (n) => Math.round(n).toLocaleString('en-US');

// 4 s, 1 min 5 s
export function formatSeconds(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export const formatFine = (n) => (n >= 100 ? formatCount(n) : n >= 10 ? n.toFixed(1) : n.toFixed(2));

export const plural = (n, word) => `${formatCount(n)} ${word}${n === 1 ? '' : 's'}`;

// Today, Yesterday, Last 7 days, or the month.
export function dayGroup(time, now = Date.now()) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const day = 24 * 3600 * 1000;
  if (time >= midnight) return 'Today';
  if (time >= midnight - day) return 'Yesterday';
  if (time >= midnight - 6 * day) return 'Last 7 days';
  return new Date(time).toLocaleDateString('en-US', { month: 'long', year: 'numeric' });
}
