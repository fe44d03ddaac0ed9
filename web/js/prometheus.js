// Figures from the text of /metrics.

const kLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/;
const kLabel = /([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"/g;

function numberOf(text) {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

// name → [{labels, value}]
export function parseMetrics(text) {
  const metrics = new Map();
  for (const line of text.split('\n')) {
    const match = line.startsWith('#') ? null : kLine.exec(line);
    const value = match ? numberOf(match[3]) : NaN;
    if (Number.isNaN(value)) continue;
    const labels = {};
    for (const [, name, label] of (match[2] ?? '').matchAll(kLabel)) labels[name] = label;
    if (!metrics.has(match[1])) metrics.set(match[1], []);
    metrics.get(match[1]).push({ labels, value });
  }
  return metrics;
}

// The sum over all samples of a name that have the given labels (several models, say).
export function total(metrics, name, labels = {}) {
  const samples = (metrics.get(name) ?? []).filter((sample) =>
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  return samples.length ? samples.reduce((sum, sample) => sum + sample.value, 0) : null;
}

// Cumulative counts by upper bound, ascending.
export function buckets(metrics, name) {
  const sums = new Map();
  for (const { labels, value } of metrics.get(`${name}_bucket`) ?? []) {
    const bound = numberOf(labels.le ?? '');
    if (!Number.isNaN(bound)) sums.set(bound, (sums.get(bound) ?? 0) + value);
  }
  return [...sums].sort(([a], [b]) => a - b);
}

// What a share `q` of the events between two readings stayed below: linear within a bucket. Null if
// there were none.
export function quantile(before, after, q) {
  const earlier = new Map(before);
  const counts = after.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]);
  const all = counts.at(-1)?.[1] ?? 0;
  if (!(all > 0)) return null;
  const rank = q * all;
  let low = 0;
  let below = 0;
  for (const [bound, count] of counts) {
    if (count >= rank) {
      if (bound === Infinity) return low;
      return count > below ? low + (bound - low) * (rank - below) / (count - below) : bound;
    }
    low = bound;
    below = count;
  }
  return low;
}
