#!/usr/bin/env python3
"""What 8-bit activations cost in perplexity, for every weight format.

    bench/quality.py [--model NAME|PATH] [--types q4_k,q8_0] [--pieces 2]

The model is dequantised to F16 once and converted to each format. Each is measured twice on the same
text: with activations rounded to 8 bits (the default of Ponder) and with float activations (the
reference). The ratio of the two perplexities should be within 0.5 % of 1. "in this format" is the share
of the weights that have it: matrices whose rows do not fit get a finer one. Writes quality.md and
quality.json; the converted files are deleted again.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import fetch_models  # noqa: E402

TARGET = 0.005


def ponder(options, *arguments):
    command = [str(part) for part in (options.ponder, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"quality: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def known_types(options):
    """The formats that `ponder convert` writes; mixtures of several are left out."""
    text = ponder(options, "convert", "--help")
    listed = re.search(r"Format of the matrices[^:]*:((?:\s+\w+,)*\s+\w+)", text)
    if not listed:
        sys.exit("quality: `ponder convert --help` lists no formats")
    return [name for name in re.findall(r"\w+", listed[1]) if not name.endswith("_m")]


def perplexity(options, path, activations):
    pieces = ["--pieces", options.pieces] if options.pieces else []
    return json.loads(ponder(options, "perplexity", "-m", path, "--file", options.text, "--ctx", options.ctx,
                             "--activations", activations, "--isa", options.isa, *pieces, "--json"))


def measure(options, source, name):
    path = options.out / f"{name}.gguf"
    try:
        ponder(options, "convert", source, path, "--type", name)
        formats = json.loads(ponder(options, "info", "-m", path, "--json"))["model"]["formats"]
        rounded, exact = (perplexity(options, path, way) for way in ("int8", "float"))
    finally:
        path.unlink(missing_ok=True)
    return {"type": name, "share": formats.get(name, 0) / sum(formats.values()), "tokens": rounded["tokens"],
            "int8": rounded["perplexity"], "float": exact["perplexity"],
            "ratio": rounded["perplexity"] / exact["perplexity"]}


def within(row):
    return abs(row["ratio"] - 1) <= TARGET


def table(rows, title):
    lines = [f"{title}, {rows[0]['tokens']} tokens", "",
             "| format | in this format | perplexity, int8 | perplexity, float | ratio | within 0.5 % |",
             "|-|-|-|-|-|-|"]
    for row in rows:
        lines.append(f"| {row['type']} | {row['share']:.0%} | {row['int8']:.4f} | {row['float']:.4f} | "
                     f"{row['ratio']:.5f} | {'yes' if within(row) else 'NO'} |")
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="a name of tools/fetch_models.py or a file")
    parser.add_argument("--types", help="default: all that `ponder convert` writes", metavar="A,B")
    parser.add_argument("--pieces", type=int, help="only so many pieces of the text; default: all")
    parser.add_argument("--ctx", type=int, default=512, help="tokens of a piece; default: 512")
    parser.add_argument("--isa", help="default: the best of this machine")
    parser.add_argument("--ponder", type=Path, default=ROOT / "build/release/ponder", metavar="PATH")
    parser.add_argument("--text", type=Path, default=ROOT / "tests/golden/perplexity/text.txt")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench-quality", metavar="DIR")
    options = parser.parse_args()
    if not options.ponder.is_file():
        parser.error(f"--ponder {options.ponder}: no such file; make build")
    options.isa = options.isa or json.loads(ponder(options, "info", "--json"))["isa"]
    known = known_types(options)
    options.types = options.types.split(",") if options.types else known
    if unknown := [name for name in options.types if name not in known]:
        parser.error(f"--types {unknown[0]}: not one of {', '.join(known)}")
    return options


def main():
    options = parse()
    path = Path(options.model)
    if not path.is_file():
        if options.model not in fetch_models.MODELS:
            sys.exit(f"quality: {options.model}: no file, and not one of {', '.join(fetch_models.MODELS)}")
        path = fetch_models.fetch(options.model, fetch_models.DEFAULT_FOLDER)
    options.out.mkdir(parents=True, exist_ok=True)
    source = options.out / f"{path.stem}.f16.gguf"
    if not source.is_file():
        print(f"quality: {path.name} to F16", file=sys.stderr, flush=True)
        ponder(options, "convert", path, source, "--type", "f16")
    rows, title = [], f"{path.name}, {options.isa}"
    for name in options.types:
        rows.append(measure(options, source, name))
        print(f"quality: {name}: ratio {rows[-1]['ratio']:.5f}", file=sys.stderr, flush=True)
        (options.out / "quality.json").write_text(json.dumps({"title": title, "rows": rows}, indent=1) + "\n")
        (options.out / "quality.md").write_text(table(rows, title) + "\n")
    print(table(rows, title))
    sys.exit(0 if all(map(within, rows)) else 1)


if __name__ == "__main__":
    main()
