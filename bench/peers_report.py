#!/usr/bin/env python3
"""The Markdown page and the HTML page of bench/peers.py, from its results.json.

    bench/peers_report.py build/bench-peers/results.json      writes report.md and report.html beside it
"""
import json
import math
import sys
from html import escape
from pathlib import Path

import machine
from peers_figures import KINDS, ratio_text, rows, spread_text


def facts(results):
    """(name, text) of what a reader must know to judge the figures."""
    about = results["machine"]
    flags = ", ".join(about["flags"]) or "none of AVX2 and later"
    return [
        ("CPU", f"{about['cpu']}, {about['cpus']} cores, {flags}"),
        ("Memory", f"{about['memory_bytes'] / 2**30:.0f} GiB, Linux {about['kernel']}"),
        ("Threads", f"{about['threads']}, the same for both"),
        ("Rounds", f"{results['rounds']}, in turns; median (min–max)"),
        ("Ponder", results["ponder"]),
        ("Peer", results["peer"]),
        ("Date", about["date"]),
    ]


LEGEND = (
    "Speed is summed over the sequences of a batch. The ratio is how many times better Ponder is "
    "(speed: Ponder's through the peer's; time and memory: the peer's through Ponder's); for "
    "perplexity it is Ponder's through the peer's, which should be 1. Memory is the process's peak "
    "through the size of the file and of the cache that the test fills. The peer ran with every "
    "setting named here, and each test counts its best."
)


def markdown(results):
    lines = ["# Ponder against llama.cpp", ""]
    lines += [f"- {name}: {text}" for name, text in facts(results)] + [""]
    for warning in machine.warnings(results["machine"]) + results["notes"]:
        lines += [f"> {warning}", ""]
    for model in results["models"]:
        lines += [f"## {model['name']}, {model['isa']}", "",
                  f"{model['file']}, {model['file_bytes'] / 1e6:.0f} MB", "",
                  "| test | unit | Ponder | llama.cpp | its settings | ratio |", "|-|-|-|-|-|-|"]
        for item in rows(model):
            cells = [item.label, KINDS[item.kind].unit, spread_text(item, "ponder"), spread_text(item, "peer"),
                     item.way, ratio_text(item)]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines + [LEGEND, ""])


STYLE = """
:root { --ink: #1c2430; --soft: #667085; --line: #e4e7ec; --page: #f6f7f9; --card: #fff; --ponder: #1f6feb;
  --peer: #b4bcc8; --good: #127a48; --good-page: #e3f5eb; --bad: #b3450f; --bad-page: #fdeee4; --even: #475467;
  --even-page: #eef0f3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --line: #2b3340; --page: #12161c;
  --card: #1a2029; --ponder: #4c8dff; --peer: #5d6879; --good: #5fd39a; --good-page: #143524; --bad: #f4a070;
  --bad-page: #3d2416; --even: #b6bfcc; --even-page: #27303c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.02em; }
h2 { font-size: 19px; margin: 0; letter-spacing: -.01em; }
h3 { font-size: 12px; font-weight: 600; color: var(--soft); margin: 22px 0 8px; text-transform: uppercase;
  letter-spacing: .06em; }
p { margin: 0; } .soft { color: var(--soft); } .number { font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 22px 0 0; font-size: 14px; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.warning { margin-top: 14px; padding: 10px 14px; border-radius: 8px; background: var(--bad-page); color: var(--bad); }
.card { margin-top: 24px; padding: 22px 26px 26px; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; break-inside: avoid; }
.title { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; }
.tag { font-size: 12px; font-weight: 600; padding: 1px 9px; border-radius: 99px; background: var(--even-page);
  color: var(--even); }
.key { display: flex; gap: 18px; margin-left: auto; font-size: 13px; color: var(--soft); }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.test { display: grid; grid-template-columns: 214px 1fr 84px; gap: 16px; align-items: center; padding: 9px 0;
  border-top: 1px solid var(--line); }
.test small { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }
.bars { display: grid; gap: 4px; }
.side { display: grid; grid-template-columns: 1fr 146px; gap: 12px; align-items: center; }
.track { position: relative; height: 15px; }
.bar { height: 100%; border-radius: 3px; min-width: 2px; } .ponder { background: var(--ponder); }
.peer { background: var(--peer); }
.range { position: absolute; top: 50%; height: 1px; background: var(--ink); opacity: .65; }
.range::before, .range::after { content: ""; position: absolute; top: -3px; width: 1px; height: 7px;
  background: var(--ink); }
.range::before { left: 0; } .range::after { right: 0; }
.value { font-size: 13px; white-space: nowrap; } .value small { display: inline; }
.ratio { justify-self: end; font-weight: 650; padding: 3px 10px; border-radius: 8px; }
.good { color: var(--good); background: var(--good-page); } .bad { color: var(--bad); background: var(--bad-page); }
.even { color: var(--even); background: var(--even-page); }
.all { display: grid; grid-template-columns: max-content max-content 1fr 64px; gap: 5px 14px; align-items: center;
  margin-top: 14px; font-size: 13px; }
.scale { position: relative; height: 14px; border-radius: 3px; background: var(--even-page); }
.scale i { position: absolute; top: 0; bottom: 0; border-radius: 3px; }
.scale b { position: absolute; top: -3px; bottom: -3px; width: 1px; background: var(--ink); }
.ahead { background: var(--good); } .behind { background: var(--bad); } .end { text-align: right; }
.legend { margin-top: 26px; font-size: 13px; color: var(--soft); }
@media (max-width: 720px) { .test { grid-template-columns: 1fr 76px; } .bars { grid-column: 1 / -1; grid-row: 2; }
  .key { margin-left: 0; } .side { grid-template-columns: 1fr 132px; }
  .all { grid-template-columns: 1fr 1fr 52px; } .all span:first-child { grid-column: 1 / -1; } }
@media print { body { background: #fff; } }
"""

HEADINGS = {"speed": "Speed, tokens/s — longer is better", "load": "Seconds to load — shorter is better",
            "memory": "Peak memory through file and cache — shorter is better",
            "perplexity": "Perplexity — should be the same"}
EVEN = 0.02  # ratios this near to 1 count as even


def verdict(item):
    """good, bad or even"""
    even = 0.005 if item.kind == "perplexity" else EVEN
    if abs(item.ratio - 1) <= even:
        return "even"
    better = item.ratio < 1 if item.kind == "perplexity" else item.ratio > 1
    return "good" if better else "bad"


def bar(item, side, longest):
    """One engine's bar, its spread over the rounds drawn on it, and the value."""
    value, show = getattr(item, side), KINDS[item.kind].show
    percent = [100 * part / longest for part in (value.median, value.low, value.high)]
    span = ""
    text = f"<b>{show(value.median)}</b>"
    if show(value.low) != show(value.high):
        span = f'<div class="range" style="left:{percent[1]:.2f}%;width:{percent[2] - percent[1]:.2f}%"></div>'
        text += f' <small class="soft">{show(value.low)}–{show(value.high)}</small>'
    return (f'<div class="side"><div class="track"><div class="bar {side}" style="width:{percent[0]:.2f}%"></div>'
            f'{span}</div><span class="value number">{text}</span></div>')


def test_html(item):
    longest = max(item.ponder.high, item.peer.high)
    return (f'<div class="test"><div>{escape(item.label)}<small>llama.cpp: {escape(item.way)}</small></div>'
            f'<div class="bars">{bar(item, "ponder", longest)}{bar(item, "peer", longest)}</div>'
            f'<span class="ratio number {verdict(item)}">{ratio_text(item)}'
            f'{"" if item.kind == "perplexity" else "×"}</span></div>')


def model_html(model):
    parts = [f'<section class="card"><div class="title"><h2>{escape(model["name"])}</h2>'
             f'<span class="tag">{escape(model["isa"])}</span>'
             f'<span class="soft">{model["file_bytes"] / 1e6:.0f} MB</span>'
             '<div class="key"><span><i class="ponder"></i>Ponder</span><span><i class="peer"></i>llama.cpp</span>'
             "</div></div>"]
    last = None
    for item in rows(model):
        if item.kind != last:
            parts.append(f"<h3>{HEADINGS[item.kind]}</h3>")
            last = item.kind
        parts.append(test_html(item))
    return "".join(parts) + "</section>"


def overview(results):
    """All speed ratios on one logarithmic scale, 1 in the middle."""
    items = [(model, item) for model in results["models"] for item in rows(model) if item.kind == "speed"]
    if not items:
        return ""
    reach = max(0.1, *(abs(math.log(item.ratio)) for _, item in items)) * 1.05
    mean = math.exp(sum(math.log(item.ratio) for _, item in items) / len(items))
    lines = []
    for model, item in items:
        offset = 50 * math.log(item.ratio) / reach
        colour = {"good": "ahead", "bad": "behind", "even": "peer"}[verdict(item)]
        lines.append(f'<span>{escape(model["name"])} <span class="tag">{escape(model["isa"])}</span></span>'
                     f'<span class="soft">{escape(item.label)}</span><div class="scale"><i class="{colour}" '
                     f'style="left:{50 + min(offset, 0):.2f}%;width:{abs(offset):.2f}%"></i>'
                     f'<b style="left:50%"></b></div><span class="end number"><b>{item.ratio:.2f}×</b></span>')
    return (f'<section class="card"><div class="title"><h2>Speed of Ponder, llama.cpp = 1</h2><span class="soft">'
            f'geometric mean <b class="number">{mean:.2f}×</b>; right of the middle Ponder is faster</span></div>'
            f'<div class="all">{"".join(lines)}</div></section>')


def page(results):
    known = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(results))
    warnings = "".join(f'<p class="warning">{escape(text)}</p>'
                       for text in machine.warnings(results["machine"]) + results["notes"])
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width, initial-scale=1"><title>Ponder against llama.cpp</title>'
            f"<style>{STYLE}</style></head><body><main><h1>Ponder against llama.cpp</h1>"
            '<p class="soft">The same files and threads, in turns, in one run.</p>'
            f'<dl class="facts">{known}</dl>{warnings}{overview(results)}'
            + "".join(map(model_html, results["models"]))
            + f'<p class="legend">{escape(LEGEND)}</p></main></body></html>\n')


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "report.md").write_text(markdown(results))
    (folder / "report.html").write_text(page(results))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    recorded = Path(sys.argv[1])
    write(json.loads(recorded.read_text()), recorded.parent)
