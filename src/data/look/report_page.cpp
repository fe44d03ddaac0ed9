#include "data/look/report_page.hpp"

#include <algorithm>
#include <cmath>

#include "data/look/recorded.hpp"
#include "data/run/run_folder.hpp"

namespace ponder {
namespace {

constexpr std::string_view kBefore = R"~(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Data report</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root { --ink: #1d2433; --soft: #667; --line: #dde; --fill: #4a7bd0; --bad: #d0694a; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ee; --soft: #99a; --line: #334; --fill: #6d9bea; --bad: #e58a6d; --paper: #15181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; padding: 1.5rem; max-width: 68rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .6rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; } .tile { border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; min-width: 7rem; }
.tile b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; } .tile span, .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .bar { background: var(--bad); height: .7rem; border-radius: 3px; min-width: 1px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; } .card { border: 1px solid var(--line); border-radius: 8px; padding: .7rem; }
.card svg { width: 100%; height: 110px; display: block; } .card input { width: 100%; } select { font: inherit; padding: .2rem; max-width: 100%; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 8px; padding: .7rem; max-height: 22rem; overflow: auto; font-size: 13px; }
button { font: inherit; }
</style></head><body><main id="page"></main>
<script type="application/json" id="data">)~";

constexpr std::string_view kBehind = R"~(</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("page");
const SVG = "http://www.w3.org/2000/svg";
function add(parent, name, text, css) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (css) node.className = css;
  parent.append(node);
  return node;
}
function draw(parent, name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}
const number = (n) => n.toLocaleString("en");
const percent = (part, whole) => whole ? (100 * part / whole).toFixed(2) + " %" : "";
const short = (x) => Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : String(+x.toPrecision(4));

add(page, "h1", "Data report: " + data.step);
const tiles = add(page, "div", undefined, "tiles");
for (const name of ["in", "kept", "changed", "removed", "quarantined"]) {
  const tile = add(tiles, "div", undefined, "tile");
  add(tile, "b", number(data.counts[name]));
  add(tile, "span", name + " " + (name === "in" ? "" : percent(data.counts[name], data.counts.in)));
}
function bars(title, counts) {
  const rows = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  if (!rows.length) return;
  add(page, "h2", title);
  const table = add(page, "table");
  for (const [name, count] of rows) {
    const row = add(table, "tr");
    add(row, "td", name);
    add(row, "td", number(count), "n");
    add(row, "td", percent(count, data.counts.in), "n");
    const cell = add(row, "td");
    cell.style.width = "45%";
    add(cell, "div", undefined, "bar").style.width = 100 * count / rows[0][1] + "%";
  }
}
bars("Removed by", data.counts.removed_by);
bars("Quarantined because", data.counts.quarantined_by);

// The share of documents that a threshold rejects, from the quantiles.
function rejected(rule, threshold) {
  const q = rule.quantiles;
  let i = 0;
  if (rule.fails === "below") { while (i < q.length && q[i] < threshold) ++i; return i / q.length; }
  while (i < q.length && q[i] <= threshold) ++i;
  return 1 - i / q.length;
}
function histogram(card, rule) {
  const q = rule.quantiles, low = q[Math.floor(q.length * 0.01)], high = q[Math.ceil(q.length * 0.99) - 1];
  const span = high - low || 1, bins = new Array(40).fill(0);
  for (const value of q) bins[Math.max(0, Math.min(39, Math.floor(40 * (value - low) / span)))]++;
  const most = Math.max(...bins), svg = draw(card, "svg", {viewBox: "0 0 400 110", preserveAspectRatio: "none"});
  bins.forEach((count, i) => draw(svg, "rect", {x: i * 10 + 1, y: 105 - 100 * count / most, width: 8,
    height: 100 * count / most + .5, fill: "var(--fill)"}));
  const mark = draw(svg, "line", {y1: 0, y2: 110, stroke: "var(--bad)", "stroke-width": 3});
  const slider = add(card, "input");
  slider.type = "range"; slider.min = 0; slider.max = 1000; slider.setAttribute("aria-label", "threshold of " + rule.rule);
  const label = add(card, "div", undefined, "soft");
  const show = (threshold) => {
    const x = Math.max(0, Math.min(400, 400 * (threshold - low) / span));
    mark.setAttribute("x1", x); mark.setAttribute("x2", x);
    label.textContent = (rule.fails === "below" ? "less than " : "more than ") + short(threshold) +
      ": " + (100 * rejected(rule, threshold)).toFixed(1) + " % fail; recorded " +
      (rule.threshold === null ? "off" : short(rule.threshold));
  };
  const start = rule.threshold === null ? high : rule.threshold;
  slider.value = Math.round(1000 * (start - low) / span);
  slider.oninput = () => show(low + span * slider.value / 1000);
  show(start);
}
if (data.rules.some((rule) => rule.quantiles.length)) {
  add(page, "h2", "What the rules measured");
  add(page, "p", "From the 1st to the 99th percentile of all documents. Each rule alone: move its threshold to see what it would reject.", "soft");
  const cards = add(page, "div", undefined, "cards");
  for (const rule of data.rules) {
    if (!rule.quantiles.length) continue;
    const card = add(cards, "div", undefined, "card");
    add(card, "b", rule.rule);
    add(card, "span", " " + rule.filter, "soft");
    histogram(card, rule);
  }
}
const reasons = Object.keys(data.samples);
if (reasons.length) {
  add(page, "h2", "Removed documents");
  const choice = add(page, "select"), back = add(page, "button", "‹"), forth = add(page, "button", "›");
  choice.setAttribute("aria-label", "rule");
  back.setAttribute("aria-label", "previous"); forth.setAttribute("aria-label", "next");
  for (const reason of reasons) add(choice, "option", reason);
  const title = add(page, "p", "", "soft"), text = add(page, "pre");
  let at = 0;
  const show = () => {
    const list = data.samples[choice.value];
    at = (at + list.length) % list.length;
    title.textContent = `${at + 1} of ${list.length}: ${list[at].id}  ${list[at].details}`;
    text.textContent = list[at].excerpt;
  };
  choice.onchange = () => { at = 0; show(); };
  back.onclick = () => { --at; show(); };
  forth.onclick = () => { ++at; show(); };
  show();
}
</script></body></html>
)~";

constexpr size_t kQuantiles = 400;

// Evenly chosen values of a sorted column.
std::vector<double> quantiles(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  std::sort(values.begin(), values.end());
  if (values.size() <= kQuantiles) return values;
  std::vector<double> chosen;
  for (size_t i = 0; i < kQuantiles; ++i)
    chosen.push_back(values[(2 * i + 1) * values.size() / (2 * kQuantiles)]);
  return chosen;
}

// Inside a script element "<" must not begin a tag.
std::string script_safe(const std::string& json) {
  std::string safe;
  for (const char c : json) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace

Result<std::string> data_report(const std::filesystem::path& folder) {
  const Json manifest = PONDER_TRY(read_manifest(folder));
  const std::string where = (folder / "manifest.json").string();
  const Json *counts = find_field(manifest, "counts"), *samples = find_field(manifest, "samples");
  const Json* step = find_field(manifest, "step");
  if (counts == nullptr || step == nullptr)
    return Failure{{.what = "the manifest has no counts", .where = where}};
  OrderedJson page = {{"step", PONDER_TRY(text_field(*step, "step", where))},
                      {"counts", *counts},
                      {"samples", samples == nullptr ? Json::object() : *samples}};
  OrderedJson& rules = page["rules"] = OrderedJson::array();
  const auto known = PONDER_TRY(rules_of_manifest(manifest, where));
  const auto recorded = RecordedValues::open(folder);
  for (size_t i = 0; i < known.size(); ++i) {
    OrderedJson rule = {{"filter", known[i].filter},
                        {"rule", known[i].rule},
                        {"fails", known[i].fails == FilterRule::kBelow ? "below" : "above"},
                        {"quantiles", OrderedJson::array()}};
    rule["threshold"] =
        std::isnan(known[i].threshold) ? OrderedJson() : OrderedJson(known[i].threshold);
    if (recorded.ok()) rule["quantiles"] = quantiles(recorded.value().column(i));
    rules.push_back(std::move(rule));
  }
  const std::string json = page.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  return std::string(kBefore) + script_safe(json) + std::string(kBehind);
}

}  // namespace ponder
