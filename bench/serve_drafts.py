#!/usr/bin/env python3
"""What guessing ahead gives a server whose sequences share their passes: one server that guesses and
one that does not, in turns, with the same requests; their texts must be equal, byte for byte.

    bench/serve_drafts.py -m F.gguf [--speculate lookup] [--clients 1 4 16] [--rounds 3] [--tokens 256]
    bench/serve_drafts.py -m F.gguf --speculate mtp --prompts FILE

The requests: parts of this repository's Python files, each with one name to be changed, greedy. Or
--prompts: a file of prompts, a line each. Each client asks for another one. Prints for each number
of clients one line of JSON: tokens/s of all clients with guesses and without (medians of the
rounds, and every round), the ratio, and how many tokens were guessed and how many of them right in
a round. Status 1 if a text differs.
"""
import argparse
import concurrent.futures
import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINES = 40  # of a file in a request


def edits(count):
    """Requests to edit code that is there, all different."""
    found = []
    for path in sorted([*ROOT.glob("bench/*.py"), *ROOT.glob("tools/**/*.py"), *ROOT.glob("tests/server/*.py")]):
        lines = path.read_text().splitlines()
        for first in range(20, len(lines) - LINES, LINES):
            code = "\n".join(lines[first:first + LINES])
            names = re.findall(r"\b[a-z]{5,}\b(?=[.(\[])", code)
            if not names:
                continue
            name = max(sorted(set(names)), key=names.count)
            found.append([{"role": "user", "content": f"Rename `{name}` to `new_{name}` in this Python code. Reply with the whole "
                                                      f"changed code only.\n\n```python\n{code}\n```"}])
    step = max(len(found) // count, 1)
    return found[::step][:count]


class Server:
    def __init__(self, options, speculate):
        self.process = subprocess.Popen(
            [options.binary, "serve", "-m", f"m={options.model}", "--port", "0", "--ctx", str(options.ctx), "--parallel", "16",
             "--speculate", speculate], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        summary = ""
        for line in self.process.stdout:
            summary += line
            if line.startswith("Ctrl-C"):
                break
        self.url = re.search(r"chat +(http://\S+?)/\n", summary)[1]
        self.ask([{"role": "user", "content": "Hi"}], 1)  # waits for the model

    def ask(self, messages, tokens):
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0}
        request = urllib.request.Request(self.url + "/v1/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def run(self, requests, tokens):
        """(tokens/s of all, texts, guesses, right ones)"""
        with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            start = time.perf_counter()
            answers = list(pool.map(lambda messages: self.ask(messages, tokens), requests))
            seconds = time.perf_counter() - start
        timings = [answer["timings"] for answer in answers]
        return (sum(answer["usage"]["completion_tokens"] for answer in answers) / seconds,
                [answer["choices"][0]["message"] for answer in answers],
                sum(timing.get("draft_n", 0) for timing in timings),
                sum(timing.get("draft_n_accepted", 0) for timing in timings))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--binary", default=ROOT / "build/release/ponder")
    parser.add_argument("--speculate", default="lookup", choices=["lookup", "mtp"])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--ctx", type=int, default=2048)
    parser.add_argument("--prompts", type=Path)
    options = parser.parse_args()
    most = max(options.clients)
    if options.prompts:
        lines = options.prompts.read_text().splitlines()
        requests = [[{"role": "user", "content": line}] for line in lines[:most]]
    else:
        requests = edits(most)
    servers = {kind: Server(options, kind) for kind in (options.speculate, "off")}
    same = True
    try:
        for clients in options.clients:
            asked = requests[:clients]
            speeds = {kind: [] for kind in servers}
            for _ in range(options.rounds + 1):  # the first one fills the caches of prompts
                for kind, server in servers.items():
                    speed, texts, drafted, accepted = server.run(asked, options.tokens)
                    speeds[kind].append(speed)
                    if kind == "off":
                        same = same and texts == guessed
                    else:
                        guessed, counts = texts, (drafted, accepted)
            medians = {kind: statistics.median(values[1:]) for kind, values in speeds.items()}
            print(json.dumps({
                "clients": clients, "speculate": options.speculate,
                "tokens_per_second": {kind: round(value, 1) for kind, value in medians.items()},
                "ratio": round(medians[options.speculate] / medians["off"], 3),
                "rounds": {kind: [round(value, 1) for value in values[1:]] for kind, values in speeds.items()},
                "drafted": counts[0], "accepted": counts[1], "same_texts": same}), flush=True)
    finally:
        for server in servers.values():
            server.process.kill()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
