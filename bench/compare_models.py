#!/usr/bin/env python3
"""Fills the rows of docs/comparison.md that need keys: asks each model of a table whose key is in the
environment, and reports all runs of the folder together.

    DEEPSEEK_API_KEY=… bench/compare_models.py --suite humaneval --budget 5

Interrupted, it goes on where it was. What a model may cost is bounded by --budget, each for itself.
"""
import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def command(binary, row, options, folder):
    return [str(binary), "eval", "run", "--suite", options.suite, "--out", str(folder), "--resume",
            "--endpoint", row["endpoint"], "--api", row["api"], "--model", row["model"],
            "--key-from", row["key"], "--prices", str(options.prices), "--budget", str(options.budget),
            "-k", str(options.samples), "-n", str(options.max_tokens),
            *(["--body", row["body"]] if row.get("body") else [])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=ROOT / "recipes/eval/article.toml")
    parser.add_argument("--prices", type=Path, default=ROOT / "recipes/eval/prices.toml")
    parser.add_argument("--suite", default="humaneval")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--max-tokens", type=int, default=32768)
    parser.add_argument("--budget", type=float, required=True, help="dollars, for each model")
    parser.add_argument("--runs", type=Path, default=Path("eval-runs"), help="folder of runs")
    options = parser.parse_args()
    binary = Path(os.environ.get("PONDER_BIN") or ROOT / "build/release/ponder")
    for row in tomllib.loads(options.table.read_text())["row"]:
        if not os.environ.get(row["key"]):
            print(f"{row['title']}: left out, {row['key']} is not set", file=sys.stderr)
            continue
        print(f"{row['title']}: {row['model']}", file=sys.stderr)
        folder = options.runs / f"{Path(options.suite).name.split('.')[0]}-{row['model']}"
        status = subprocess.run(command(binary, row, options, folder)).returncode
        if status == 130:
            sys.exit(status)
    runs = sorted(path.parent for path in options.runs.glob("*/run.sqlite"))
    if not runs:
        sys.exit("nothing has been run")
    page = options.runs / "report.html"
    sys.exit(subprocess.run([str(binary), "eval", "report", *map(str, runs), "-o", str(page)]).returncode)


if __name__ == "__main__":
    main()
