#!/usr/bin/env python3
"""Ponder against llama.cpp: the same file, threads and text, in turns, in one run.

    make bench-peer [ARGS="--rounds 5 --model PATH --json out.json"]

Each round measures, each in a process of its own: ponder, llama.cpp, llama.cpp with flash
attention. A figure is the median of the rounds; the peer's is the better of its two ways. A prompt of
--prompt tokens, then --decode tokens one by one after it (greedy). Loading is not counted.
Peak memory is the largest resident set, file pages included. Perplexity: the text in chunks of
--ctx tokens, each from an empty cache, every position that predicts a token inside its chunk.
A shorter last chunk is left out.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import fetch_models  # noqa: E402

NAMES = ["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"]
FIGURES = {"prompt_per_second": "prompt, tokens/s", "decode_per_second": "decode, tokens/s"}


def run(command, stdin=""):
    """stdout of a command and its peak resident bytes."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as out:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen([str(part) for part in command], stdin=given, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: status {process.returncode}")
        out.seek(0)
        return out.read(), usage.ru_maxrss * 1024


class Pair:
    """Both engines on one model file."""

    def __init__(self, options, model):
        self.options, self.model = options, model
        self.folder = tempfile.TemporaryDirectory()
        self.prompt = Path(self.folder.name) / "prompt.txt"
        cut = self.peer("cut", options.text, "--prompt", options.prompt)[0]
        if cut["tokens"] != options.prompt:
            sys.exit(f"{options.text}: no start of it is {options.prompt} tokens, only {cut['tokens']}")
        self.prompt.write_text(cut["text"], encoding="utf-8")
        self.version = cut["version"]

    def peer(self, what, text, *more):
        out, peak = run([self.options.peer_python, ROOT / "bench/peer_llama.py", what, self.model, text,
                         "--threads", self.options.threads, *more])
        return json.loads(out), peak

    def ponder(self, *command, stdin=""):
        out, peak = run([self.options.ponder, command[0], "-m", self.model,
                         "--threads", self.options.threads, "--json", *command[1:]], stdin)
        return json.loads(out), peak

    def ponder_speed(self):
        answer, peak = self.ponder("run", "--raw", "--greedy", "-n", self.options.decode + 1,
                                   stdin=self.prompt.read_text(encoding="utf-8"))
        stats = answer["stats"]
        if stats["prompt_tokens"] != self.options.prompt:
            sys.exit(f"ponder counts {stats['prompt_tokens']} prompt tokens, not {self.options.prompt}")
        return {"prompt_per_second": stats["prompt_tokens_per_second"],
                "decode_per_second": stats["decode_tokens_per_second"], "peak_bytes": peak}

    def peer_speed(self, *more):
        sizes = ["--prompt", self.options.prompt, "--decode", self.options.decode]
        figures, peak = self.peer("speed", self.prompt, *sizes, *more)
        return figures | {"peak_bytes": peak}

    def speeds(self):
        """engine → list of figures, one a round; the order of the engines turns every round."""
        engines = {"ponder": self.ponder_speed, "llama.cpp": self.peer_speed,
                   "llama.cpp, flash attention": lambda: self.peer_speed("--flash")}
        rounds = {engine: [] for engine in engines}
        for number in range(self.options.rounds):
            order = list(engines)[number % 3:] + list(engines)[:number % 3]
            for engine in order:
                rounds[engine].append(engines[engine]())
        return rounds

    def perplexities(self):
        ctx = ["--ctx", self.options.ctx]
        ours, _ = self.ponder("perplexity", "--file", self.options.text, *ctx)
        theirs, _ = self.peer("perplexity", self.options.text, *ctx)
        if ours["tokens"] != theirs["tokens"]:
            sys.exit(f"perplexity over {ours['tokens']} tokens, the peer's over {theirs['tokens']}")
        return ours, theirs


def compare(pair):
    rounds = pair.speeds()
    result = {"model": Path(pair.model).name, "file_bytes": os.path.getsize(pair.model),
              "peer": f"llama-cpp-python {pair.version}", "rounds": rounds, "figures": {}}
    for key in FIGURES:
        medians = {engine: statistics.median(row[key] for row in rows) for engine, rows in rounds.items()}
        peer = max(value for engine, value in medians.items() if engine != "ponder")
        result["figures"][key] = {"ponder": medians["ponder"], "peer": peer, "ratio": medians["ponder"] / peer}
    peaks = {engine: max(row["peak_bytes"] for row in rows) for engine, rows in rounds.items()}
    result["figures"]["peak_bytes"] = {
        "ponder": peaks["ponder"], "peer": min(peaks["llama.cpp"], peaks["llama.cpp, flash attention"]),
        "ratio": peaks["ponder"] / result["file_bytes"]}
    if not pair.options.no_perplexity:
        ours, theirs = pair.perplexities()
        result["figures"]["perplexity"] = {"ponder": ours["perplexity"], "peer": theirs["perplexity"],
                                           "ratio": ours["perplexity"] / theirs["perplexity"]}
    return result


def table(results, options):
    lines = [f"{platform.processor() or platform.machine()}, {options.threads} threads, prompt "
             f"{options.prompt}, decode {options.decode}, median of {options.rounds} rounds",
             "", "| model | figure | ponder | llama.cpp | ratio |", "|-|-|-|-|-|"]
    for result in results:
        for key, row in result["figures"].items():
            if key == "peak_bytes":
                cells = ("peak memory, MB", f"{row['ponder'] / 1e6:.0f}", f"{row['peer'] / 1e6:.0f}",
                         f"{row['ratio']:.3f} of the file")
            else:
                digits = 4 if key == "perplexity" else 1
                cells = (FIGURES.get(key, key), f"{row['ponder']:.{digits}f}", f"{row['peer']:.{digits}f}",
                         f"{row['ratio']:.4f}" if key == "perplexity" else f"{row['ratio']:.2f}")
            lines.append(f"| {result['model']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="a GGUF file or a name of tools/fetch_models.py")
    parser.add_argument("--peer-python", required=True, metavar="PATH")
    parser.add_argument("--ponder", default=ROOT / "build/release/ponder", metavar="PATH")
    parser.add_argument("--text", type=Path, default=ROOT / "tests/golden/perplexity/text.txt")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=128)
    parser.add_argument("--ctx", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-perplexity", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    results = []
    for name in options.model or NAMES:
        model = name if os.path.exists(name) else fetch_models.fetch(name, fetch_models.DEFAULT_FOLDER)
        results.append(compare(Pair(options, str(model))))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results, options))


if __name__ == "__main__":
    main()
