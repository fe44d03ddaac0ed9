#!/usr/bin/env python3
"""Ponder against llama.cpp: the same files and threads, in turns, in one run.

    make bench-peers [ARGS="--quick | --models qwen2.5-coder-0.5b --isa native,avx2 --rounds 5"]

Builds the peer if it is not there (bench/peers_build.py), then measures speed, load time, peak memory
and perplexity of every model, and writes report.md, report.html and results.json. Every figure is a
process's own; in each round all engines have their turn, in a changing order. The peer runs with every
setting that may be its best (flash attention, and a cache in one or split by sequence); each test counts
the best of them by the median. One that falls far behind in the first round is not run again.
bench/README.md tells what the figures mean.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import fetch_models  # noqa: E402
import machine  # noqa: E402
import peers_build  # noqa: E402
import peers_figures  # noqa: E402
import peers_report  # noqa: E402

FAR_BEHIND = 0.15
DEEP_ROUNDS = 3  # a long prompt comes before each
SYNTHETIC_BYTES = 15e9  # free disk that the V2-Lite shape needs


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


@dataclass(frozen=True)
class Plan:
    """What is measured of a model beside a prompt and decoding one by one."""
    batches: tuple = ()  # sequences decoded together
    depth: int = 0  # tokens in the cache before decoding
    real: bool = True  # has learned weights: perplexity means something


PLANS = {
    "qwen2.5-coder-0.5b": Plan(batches=(4, 8, 16)),
    "qwen2.5-coder-1.5b": Plan(depth=8192),
    "deepseek-v2-lite": Plan(real=False),
}


@dataclass(frozen=True)
class Start:
    """What one process measures."""
    prompt: int
    gen: int
    batches: tuple = (1,)
    depth: int = 0

    def flags(self):
        return ["--prompt", self.prompt, "--gen", self.gen, "--batch", ",".join(map(str, self.batches)),
                "--depth", self.depth]

    def keys(self):
        """(test, batch, depth) of the results that must come back."""
        prompts = [(f"pp{self.prompt}", 1, 0)] if self.prompt else []
        return prompts + [(f"tg{self.gen}", batch, self.depth) for batch in self.batches]

    def cached(self):
        """The most tokens that its cache holds."""
        return max(self.prompt, max(self.batches) * (self.depth + self.gen))

    def ways(self):
        """name → flags of the peer's settings that may be the best"""
        ways = {"flash off": [], "flash on": ["--flash"]}
        if max(self.batches) == 1:
            return ways
        return {f"{name}, {cache} cache": flags + more for name, flags in ways.items()
                for cache, more in (("split", []), ("unified", ["--unified"]))}


def starts(plan, quick):
    prompt, gen, depth = (64, 8, 256) if quick else (512, 128, plan.depth)
    found = [Start(prompt, gen)]
    if plan.batches:
        found.append(Start(0, gen, plan.batches[:1] if quick else plan.batches))
    if plan.depth:
        found.append(Start(0, gen, depth=depth))
    return found


def label(key):
    test, batch, depth = key
    if test.startswith("pp"):
        return f"prompt of {test[2:]} tokens"
    return f"decode, batch {batch}" + (f", after {depth} tokens" if depth else "")


def answer(command):
    """What a command prints as JSON."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        words = "\n".join(done.stderr.strip().splitlines()[-6:]) or "it said nothing"
        raise Failed(f"{' '.join(command)}: status {done.returncode}: {words}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Failed(f"{' '.join(command)}: no JSON: {done.stdout[:200]!r}") from None


class Pair:
    """Both engines on one model file with one instruction set."""

    def __init__(self, options, path, isa):
        self.options, self.path, self.isa = options, path, isa
        self.python = peers_build.peer_python(isa)
        self.peer_name = self.peer_system = None

    def ponder(self, command, *flags):
        isa = [] if self.isa == "native" else ["--isa", self.isa]
        return answer([self.options.ponder, command, "-m", self.path, "--threads", self.options.threads, *isa,
                       "--json", *flags])

    def peer(self, command, *flags):
        found = answer([self.python, ROOT / "bench/peers_llama.py", command, self.path,
                        "--threads", self.options.threads, *flags])
        self.peer_name, self.peer_system = f"llama.cpp in llama-cpp-python {found['version']}", found["system"]
        return found

    def speed(self, way, start):
        """One process; `way` is None for Ponder, or a name of start.ways()."""
        if way is None:
            found = self.ponder("bench", *start.flags(), "--repeat", 1)
        else:
            found = self.peer("speed", *start.flags(), *start.ways()[way])
        speeds = {(row["test"], row["batch"], row["depth"]): row["tokens_per_second"] for row in found["results"]}
        if missing := [key for key in start.keys() if key not in speeds]:
            raise Failed(f"{way or 'ponder bench'} measured no {missing[0]}, only {list(speeds)}")
        return found | {"speeds": speeds}


class Gathered:
    """The answers of all processes of one Start, by engine; None is Ponder."""

    def __init__(self, start):
        self.start, self.answers = start, {way: [] for way in [None, *start.ways()]}

    def test(self, kind, text, value, **more):
        ponder, *peer = ([value(found) for found in answers] for answers in self.answers.values())
        return {"kind": kind, "label": text, "ponder": ponder, "peer": dict(zip(self.start.ways(), peer)), **more}

    def speeds(self):
        return [self.test("speed", label(key), lambda found, key=key: found["speeds"][key])
                for key in self.start.keys()]

    def load(self):
        return self.test("load", "load, file in memory", lambda found: found["load_seconds"])

    def memory(self, file_bytes, token_bytes):
        scale = file_bytes + self.start.cached() * token_bytes
        text = f"{self.start.cached()} tokens cached, {scale / 1e6:.0f} MB"
        return self.test("memory", text, lambda found: found["peak_bytes"], scale=scale)


def measure(pair, start, say):
    """All rounds of one Start. The peer's settings that fall far behind have one round only."""
    gathered = Gathered(start)
    engines = list(gathered.answers)
    rounds = min(pair.options.rounds, DEEP_ROUNDS) if start.depth else pair.options.rounds
    for number in range(rounds):
        turn = number % len(engines)
        for way in engines[turn:] + engines[:turn]:
            say(f"round {number + 1} of {rounds}: {', '.join(label(key) for key in start.keys())}: "
                f"{'ponder' if way is None else 'llama.cpp, ' + way}")
            gathered.answers[way].append(pair.speed(way, start))
        if number == 0:
            slow = peers_figures.slow_ways(gathered.speeds(), FAR_BEHIND)
            engines = [way for way in engines if way not in slow]
    return gathered


def perplexity(pair):
    options = pair.options
    ours = pair.ponder("perplexity", "--file", options.text, "--ctx", options.ctx)
    theirs = pair.peer("perplexity", "--text", options.text, "--ctx", options.ctx)
    if ours["tokens"] != theirs["tokens"]:
        raise Failed(f"perplexity over {ours['tokens']} tokens, the peer's over {theirs['tokens']}")
    return {"kind": "perplexity", "label": f"{options.text.name}, {ours['tokens']} tokens",
            "ponder": [ours["perplexity"]], "peer": {"flash off": [theirs["perplexity"]]}}


def compare(options, name, isa, results):
    """Adds one model with one instruction set to the results."""
    plan, path = PLANS.get(name, Plan()), model_path(name, options)

    def say(text):
        print(f"{name}, {isa}: {text}", file=sys.stderr, flush=True)

    pair = Pair(options, path, isa)
    with open(path, "rb") as file:  # the first start pays for the disk, so it is not counted
        while file.read(1 << 24):
            pass
    say("first starts, not counted")
    for way in (None, "flash off"):
        pair.speed(way, Start(8, 2))
    gathered = [measure(pair, start, say) for start in starts(plan, options.quick)]
    tests = [test for one in gathered for test in one.speeds()]
    token_bytes = answer([options.ponder, "info", "-m", path, "--json"])["model"]["kv_bytes_per_token"]
    file_bytes = os.path.getsize(path)
    tests += [gathered[0].load()] + [one.memory(file_bytes, token_bytes) for one in gathered]
    if plan.real and not options.no_perplexity:
        say("perplexity")
        tests.append(perplexity(pair))
    results["peer"] = pair.peer_name
    results["models"].append({"name": name, "isa": isa, "file": Path(path).name, "file_bytes": file_bytes,
                              "peer_system": pair.peer_system, "tests": tests})


def synthetic(options):
    """The file in the shape of V2-Lite with random weights, made by `ponder synth` if need be."""
    path = ROOT / "build/synth/deepseek-v2-lite-q4_k.gguf"
    if path.is_file():
        return path
    if subprocess.run([options.ponder, "synth", "--help"], capture_output=True).returncode != 0:
        raise Skipped(f"this {Path(options.ponder).name} has no command `synth` to make it")
    path.parent.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(path.parent).free) < SYNTHETIC_BYTES:
        raise Skipped(f"{free / 1e9:.0f} GB of disk are free, it needs {SYNTHETIC_BYTES / 1e9:.0f}")
    print(f"bench: making {path}", file=sys.stderr, flush=True)
    command = [options.ponder, "synth", "--shape", "deepseek-v2-lite", "--quant", "q4_k", "--out", path]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"ponder synth: {done.stderr.strip()}")
    return path


def model_path(name, options):
    if os.path.isfile(name):
        return Path(name)
    if name == "deepseek-v2-lite":
        return synthetic(options)
    try:
        return fetch_models.fetch(name, fetch_models.DEFAULT_FOLDER)
    except SystemExit as failure:
        raise Failed(f"it is not there and cannot be fetched: {failure}") from None


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: [part for part in text.split(",") if part]  # noqa: E731
    parser.add_argument("--models", type=words, metavar="A,B", help=f"of {', '.join(PLANS)}, or files; default: all")
    parser.add_argument("--isa", type=words, default=["native"], metavar="A,B",
                        help="of native, avx2; the peer is built for each; default: native")
    parser.add_argument("--rounds", type=int, default=5, help=f"default: 5; at long context at most {DEEP_ROUNDS}")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: one per CPU")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one round, to see that all works")
    parser.add_argument("--ponder", type=Path, default=ROOT / "build/release/ponder", metavar="PATH")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench-peers", metavar="DIR")
    parser.add_argument("--text", type=Path, default=ROOT / "tests/golden/perplexity/text.txt")
    parser.add_argument("--ctx", type=int, default=512, help="tokens of a piece in perplexity; default and most: 512")
    parser.add_argument("--no-perplexity", action="store_true")
    options = parser.parse_args(arguments)
    options.models = options.models or (list(PLANS)[:1] if options.quick else list(PLANS))
    for name in options.models:
        if name not in PLANS and not os.path.isfile(name):
            parser.error(f"--models {name}: no file, and not one of {', '.join(PLANS)}")
    for isa in options.isa:
        if isa not in peers_build.FOLDERS:
            parser.error(f"--isa {isa}: not one of {', '.join(peers_build.FOLDERS)}")
    if not 2 <= options.ctx <= 512 or options.rounds < 1 or options.threads < 1:
        parser.error("--ctx is 2 to 512, --rounds and --threads at least 1")
    if not options.ponder.is_file():
        parser.error(f"--ponder {options.ponder}: no such file; make build")
    return options


def version(ponder):
    done = subprocess.run([ponder, "--version"], capture_output=True, text=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return " ".join(filter(None, [done.stdout.strip(), commit.stdout.strip()])) or "unknown version"


def run(options):
    about = machine.describe(options.threads)
    for warning in machine.warnings(about):
        print(f"bench: {warning} The figures will be worth little.", file=sys.stderr)
    for isa in options.isa:
        peers_build.peer_python(isa)
    results = {"machine": about, "rounds": options.rounds, "ponder": version(options.ponder), "peer": "not run",
               "notes": ["A quick run: sizes are tiny, the figures mean nothing."] if options.quick else [],
               "models": []}
    watch, failed = machine.Watch(), False
    for name in options.models:
        for isa in options.isa:
            try:
                compare(options, name, isa, results)
            except Skipped as reason:
                results["notes"].append(f"{name}, {isa} is left out: {reason}.")
            except Failed as reason:
                failed = True
                results["notes"].append(f"{name}, {isa} failed: {reason}")
            about.update(watch.shares())
            peers_report.write(results, options.out)
    print(peers_report.markdown(results))
    print(f"{options.out / 'report.html'} shows it with bars")
    return 1 if failed else 0


def main():
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        if options.quick:
            options.rounds, options.ctx = 1, 128
            start = Path(folder) / options.text.name
            start.write_text(options.text.read_text(encoding="utf-8")[:1200], encoding="utf-8")
            options.text = start
        try:
            sys.exit(run(options))
        except peers_build.BuildFailed as failure:
            sys.exit(f"bench: {failure}")
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
