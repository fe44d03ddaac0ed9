#!/usr/bin/env python3
"""Speed of ponder data against datatrove, one core against one core, in one run.

    bench/data_peers.py [--documents 3000] [--only rules|minhash|exact|near]

Needs build/venv-peer-data (tests/parity/data_peer.py) and build/release/data_bench. Reading and writing files counts
for ponder only: datatrove is timed from texts in memory to decisions (rules) or signatures (minhash). Signatures alone
are from texts in memory for both.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEER = ROOT / "build/venv-peer-data/bin/python"
PONDER = Path(os.environ.get("PONDER_BIN") or ROOT / "build/release/ponder")

MINHASH_PEER = """
import json, sys, time
from datatrove.pipeline.dedup.minhash import MinhashDedupSignature
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
step = MinhashDedupSignature("/tmp")
step.get_signature(step.get_shingles("to load the tokenizer and make the parameters we need six words"))
start = time.perf_counter()
for text in texts:
    shingles = step.get_shingles(text)
    if shingles.size:
        step.get_signature(shingles)
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def one_core(command):
    return ["taskset", "-c", "0", *map(str, command)]


def ponder_seconds(arguments):
    start = time.perf_counter()
    subprocess.run(one_core([PONDER, "data", *arguments, "-t", "1"]), check=True, capture_output=True)
    return time.perf_counter() - start


def signature_seconds(source):
    """Of all documents, from texts in memory to the keys of their bands."""
    result = subprocess.run(one_core([PONDER.with_name("data_bench"), "--benchmark_filter=minhash/signatures",
                                      "--benchmark_format=json"]), check=True, capture_output=True, text=True,
                            env={**os.environ, "PONDER_BENCH_DOCUMENTS": str(source)})
    return json.loads(result.stdout)["benchmarks"][0]["real_time"] / 1000


def peer_seconds(arguments):
    result = subprocess.run(one_core([PEER, *arguments]), check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])["seconds"]


def row(what, documents, size, ours, peer=None):
    line = {"what": what, "documents": documents, "MB": round(size / 1e6, 1), "ponder_s": round(ours, 3),
            "ponder_docs_per_s": round(documents / ours), "ponder_MB_per_s": round(size / 1e6 / ours, 1)}
    if peer is not None:
        line |= {"datatrove_s": round(peer, 3), "times_as_fast": round(peer / ours, 1)}
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=5, help="how often ponder gets the same documents in one file")
    parser.add_argument("--only", choices=["rules", "minhash", "exact", "near"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        small, large = folder / "small.jsonl", folder / "large.jsonl"
        subprocess.run([PEER, ROOT / "tests/parity/data_corpus.py", small, str(options.documents)], check=True)
        lines = small.read_bytes()
        large.write_bytes(lines * options.repeat)  # so that the start of the process weighs little
        size, count = len(lines), options.documents
        runs = iter(range(100))

        def ours(step, source):
            return ponder_seconds([*step, source, "-o", folder / f"out{next(runs)}"])

        if options.only in (None, "rules"):
            for preset in ("gopher", "c4", "fineweb-datatrove"):
                seconds = ours(["filter", "--preset", preset], large) / options.repeat
                peer = peer_seconds([ROOT / "tests/parity/data_peer.py", preset, small, folder / "peer.jsonl"])
                row(f"rules {preset}", count, size, seconds, peer)
        if options.only in (None, "minhash"):
            seconds = ours(["dedup", "near"], small)
            script = folder / "minhash.py"
            script.write_text(MINHASH_PEER)
            peer = peer_seconds([script, small])
            row("MinHash signatures alone", count, size, signature_seconds(small), peer)
            row("near-dedup, whole, against signatures alone", count, size, seconds, peer)
        if options.only in (None, "exact"):
            random_ = random.Random(1)
            short = folder / "short.jsonl"
            with short.open("w") as out:
                for i in range(400_000):
                    out.write(json.dumps({"id": i, "text": f"short text {random_.randrange(300_000)} here"}) + "\n")
            row("exact dedup of short documents", 400_000, short.stat().st_size, ours(["dedup", "exact"], short))
        if options.only in (None, "near"):
            random_ = random.Random(2)
            two = folder / "two.jsonl"
            with two.open("w") as out:
                for i in range(20_000):
                    text = " ".join(f"word{random_.randrange(5000)}" for _ in range(240))
                    out.write(json.dumps({"id": i, "text": text}) + "\n")
            row("near-dedup of 2 KB documents", 20_000, two.stat().st_size, ours(["dedup", "near"], two))


if __name__ == "__main__":
    sys.exit(main())
