// The status page: reads /metrics every two seconds and draws the last five minutes.
import { listModels, metricsText } from './api.js';
import { announce, byId, h } from './dom.js';
import { formatCount, formatFine } from './format.js';
import { buckets, parseMetrics, quantile, total } from './prometheus.js';
import { setUpThemeButton } from './shell.js';

const { Chart } = window;

const kPeriod = 2000;  // ms between readings
const kKept = 150;  // readings
const kWindow = 15;  // readings that quantiles look back on

const share = (part, whole) => (whole > 0 ? part / whole : null);
const duration = (seconds) => (seconds === null ? '–' : seconds === 0 ? '0'
  : seconds < 1 ? `${formatFine(seconds * 1000)} ms` : `${formatFine(seconds)} s`);
const rate = (value) => (value === null ? '–' : formatFine(value));
const percent = (value) => (value === null ? '–' : `${Math.round(value * 100)} %`);

// Lines of a plot: key of a point, label, colour; `area` stacks them.
const kCharts = [
  { id: 'requests', title: 'Requests', lines: [['running', 'running', '--accent'], ['waiting', 'waiting', '--warm']] },
  { id: 'speed', title: 'Tokens a second',
    lines: [['generated', 'generated', '--accent'], ['prompt', 'read from prompts', '--second']] },
  { id: 'pages', title: 'Pages of the cache', area: true,
    lines: [['used', 'in use', '--accent'], ['cached', 'kept for reuse', '--second'], ['free', 'free', '--line']] },
  { id: 'first', title: 'Time to first token', unit: duration,
    lines: [['first50', 'half of them below', '--accent'], ['first95', '95 % below', '--warm']] },
  { id: 'each', title: 'Time per token', unit: duration,
    lines: [['each50', 'half of them below', '--accent'], ['each95', '95 % below', '--warm']] },
  { id: 'guesses', title: 'Guessed tokens accepted, of 100', lines: [['accepted', 'accepted', '--accent']] },
];

const kFigures = [
  ['running', 'Running', (p) => [p.running === null ? '–' : formatCount(p.running), 'requests', `${formatCount(p.waiting ?? 0)} waiting`]],
  ['speed', 'Speed', (p) => [rate(p.generated), 'tokens/s', `reads ${rate(p.prompt)} a second`]],
  ['first', 'First token', (p) => [duration(p.first50), '', `95 % below ${duration(p.first95)}`]],
  ['each', 'Each token', (p) => [duration(p.each50), '', `95 % below ${duration(p.each95)}`]],
  ['cache', 'Cache', (p) => [percent(share(p.used, p.used + p.cached + p.free)), 'in use',
    `${percent(share(p.cached, p.used + p.cached + p.free))} kept for reuse`]],
  ['reuse', 'From the cache', (p) => [percent(p.reused), '', 'of all prompt tokens']],
];

const readings = [];  // {time, counters, first, each}, oldest first
const points = [];

function takeReading(text) {
  const metrics = parseMetrics(text);
  const sum = (name, labels) => total(metrics, `ponder_${name}`, labels);
  return {
    time: performance.now() / 1000,
    running: sum('requests_running'), waiting: sum('requests_waiting'),
    used: sum('kv_pages', { state: 'used' }), cached: sum('kv_pages', { state: 'cached' }),
    free: sum('kv_pages', { state: 'free' }),
    prompt: sum('prompt_tokens_total'), reused: sum('cached_tokens_total'), generated: sum('generated_tokens_total'),
    drafted: sum('drafted_tokens_total'), accepted: sum('accepted_tokens_total'),
    first: buckets(metrics, 'ponder_time_to_first_token_seconds'),
    each: buckets(metrics, 'ponder_time_per_token_seconds'),
  };
}

// What is shown of a reading: gauges as they are, counters as rates since the last, histograms as
// quantiles over the window. A counter that fell tells of a new start: nothing is known yet.
function pointOf(now) {
  const last = readings.at(-2);
  const old = readings.at(-1 - Math.min(kWindow, readings.length - 1));
  const since = (name) => {
    if (!last || now[name] === null || last[name] === null || now[name] < last[name]) return null;
    return (now[name] - last[name]) / (now.time - last.time);
  };
  const grown = (name) => (now[name] === null || old[name] === null ? null : now[name] - old[name]);
  const base = readings.length > 1 ? old : { first: [], each: [] };
  const acceptedShare = share(grown('accepted'), grown('drafted'));
  return {
    running: now.running, waiting: now.waiting, used: now.used, cached: now.cached, free: now.free,
    generated: since('generated'), prompt: since('prompt'),
    reused: share(now.reused, now.prompt), accepted: acceptedShare === null ? null : 100 * acceptedShare,
    first50: quantile(base.first, now.first, 0.5), first95: quantile(base.first, now.first, 0.95),
    each50: quantile(base.each, now.each, 0.5), each95: quantile(base.each, now.each, 0.95),
  };
}

function showFigures(point) {
  byId('figures').replaceChildren(...kFigures.map(([id, title, words]) => {
    const [value, unit, detail] = words(point);
    return h('div', { class: 'figure', 'data-figure': id }, h('h2', {}, title),
      h('p', { class: 'value' }, value, unit && value !== '–' ? h('small', {}, unit) : null),
      h('p', { class: 'detail' }, detail));
  }));
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function drawingOf(chart) {
  return chart.lines.map(([key, label, name]) => ({
    label, data: points.map((point) => point[key]), borderColor: colour(name), borderWidth: chart.area ? 0 : 2,
    backgroundColor: colour(name), fill: chart.area ? 'stack' : false, pointRadius: points.length < 2 ? 2 : 0,
    cubicInterpolationMode: 'monotone', spanGaps: true,
  }));
}

function optionsOf(chart) {
  const unit = chart.unit ?? ((value) => formatCount(value));
  const grid = { color: colour('--line'), drawTicks: false, drawBorder: false };
  const ticks = { color: colour('--muted'), maxTicksLimit: 5, font: { size: 11 } };
  return {
    animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: 'index', intersect: false },
    scales: {
      x: { ticks: { ...ticks, maxRotation: 0, callback: (value) => timeLabel(value) }, grid: { display: false, drawBorder: false } },
      y: { beginAtZero: true, stacked: Boolean(chart.area), grid, suggestedMax: chart.unit ? undefined : 1,
        ticks: { ...ticks, padding: 6, precision: chart.unit ? undefined : 0, callback: (value) => unit(value).replace('.0 ', ' ') } },
    },
    plugins: {
      legend: { position: 'bottom', align: 'start', labels: { color: colour('--muted'), boxWidth: 10, boxHeight: 10, font: { size: 12 } } },
      tooltip: { callbacks: { title: () => '', label: (item) => ` ${item.dataset.label}: ${chart.unit ? unit(item.parsed.y) : formatFine(item.parsed.y)}` } },
    },
  };
}

// Seconds before now.
function timeLabel(index) {
  const ago = Math.round((points.length - 1 - index) * kPeriod / 1000);
  return ago === 0 ? 'now' : `−${ago} s`;
}

const plots = new Map();

function showCharts() {
  for (const chart of kCharts) {
    let plot = plots.get(chart.id);
    if (!plot) {
      const canvas = h('canvas', { role: 'img' });
      byId('charts').append(h('div', { class: 'chart', 'data-chart': chart.id }, h('h2', {}, chart.title),
        h('div', { class: 'canvas-box' }, canvas)));
      plot = new Chart(canvas, { type: 'line', data: { labels: [], datasets: [] }, options: optionsOf(chart) });
      plots.set(chart.id, plot);
    }
    const last = points.at(-1) ?? {};
    const unit = chart.unit ?? rate;
    plot.canvas.setAttribute('aria-label', `${chart.title}. Now ${chart.lines
      .map(([key, label]) => `${label} ${unit(last[key] ?? null)}`).join(', ')}.`);
    plot.data.labels = points.map(() => '');
    plot.data.datasets = drawingOf(chart);
    plot.update();
  }
}

async function showModels() {
  const models = await listModels();
  byId('models').replaceChildren(...models.map(({ id, context }) => h('li', {}, id,
    h('span', {}, context ? `context of ${formatCount(context)} tokens` : ''))));
}

function showState(words, kind) {
  const state = byId('state');
  if (byId('state-words').textContent === words) return;
  byId('state-words').textContent = words;
  state.className = `state ${kind}`;
  announce(words);
}

async function step() {
  try {
    const reading = takeReading(await metricsText());
    readings.push(reading);
    if (readings.length > kKept) readings.shift();
    points.push(pointOf(reading));
    if (points.length > kKept) points.shift();
    showFigures(points.at(-1));
    showCharts();
    if (!byId('models').childElementCount) await showModels();
    showState('Running', 'up');
  } catch (failure) {
    showState(failure.message, 'down');
  }
  setTimeout(step, kPeriod);
}

setUpThemeButton();
document.addEventListener('themechange', () => {
  for (const chart of kCharts) {
    const plot = plots.get(chart.id);
    if (plot) plot.options = optionsOf(chart);
  }
  showCharts();
});
showFigures({ running: null, waiting: 0, generated: null, prompt: null, first50: null, first95: null, each50: null,
  each95: null, used: null, cached: null, free: null, reused: null });
await step();
document.body.dataset.ready = 'true';
