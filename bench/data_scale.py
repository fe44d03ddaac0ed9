#!/usr/bin/env python3
"""ponder data on real text: seconds, MB/s and peak memory of each step with 1 and 2 threads.

    bench/real_corpus.py build/docs.jsonl --megabytes 220
    bench/data_scale.py build/docs.jsonl [--memory 256M] [--threads 1,2]

A line of JSON for each run: whole processes, reading and writing included.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

PONDER = Path(os.environ.get("PONDER_BIN") or Path(__file__).resolve().parents[1] / "build/release/ponder")
STEPS = [["filter", "--preset", "fineweb-datatrove"], ["dedup", "exact"], ["dedup", "near"], ["dedup", "substring"]]


def run(arguments, corpus, threads, memory):
    """Seconds, peak kilobytes and counts of one run in a process of its own."""
    with tempfile.TemporaryDirectory(dir=corpus.parent) as folder:
        start = time.perf_counter()
        process = subprocess.Popen([PONDER, "data", *arguments, corpus, "-o", Path(folder) / "out", "-t", str(threads),
                                    "--memory", memory, "--json"], stdout=subprocess.PIPE)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        assert status == 0, arguments
        return seconds, usage.ru_maxrss, json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--threads", default="1,2")
    options = parser.parse_args()
    size = options.corpus.stat().st_size / 1e6
    for step in STEPS:
        for threads in map(int, options.threads.split(",")):
            seconds, peak, counts = run(step, options.corpus, threads, options.memory)
            print(json.dumps({"step": " ".join(step), "threads": threads, "seconds": round(seconds, 2),
                              "MB_per_s": round(size / seconds, 1), "documents_per_s": round(counts["in"] / seconds),
                              "peak_MB": round(peak / 1024), "in": counts["in"], "kept": counts["kept"]}), flush=True)


if __name__ == "__main__":
    main()
