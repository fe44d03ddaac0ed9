#!/usr/bin/env python3
"""Load for a server that speaks OpenAI's API: N clients that stream answers, for some seconds.

    bench/serve_load.py --url http://127.0.0.1:8080 --clients 64 --seconds 600 --pid PID
    bench/serve_load.py --url … --prefix 2000        time to the first token with a known beginning

Prints one JSON object: requests by outcome, tokens/s of all clients, time to the first token and
between tokens (p50, p99, the longest, in ms), and the server's resident memory: the least and the
most after the first quarter of the time, when the cache is full. Only the standard library; the
server's own answers are what is counted. --leave 0.1: one request in ten is abandoned in the middle
of its answer. Status 1 if anything but 200 and 429 came, or a stream ended without [DONE].
"""
import argparse
import asyncio
import json
import random
import sys
import time
import urllib.parse
import urllib.request

WORDS = ("river stone light garden machine number window copper thunder paper ocean silver "
         "market engine forest letter mountain bridge planet music").split()


def percentile(values, share):
    ordered = sorted(value for value in values if value is not None)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else None


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


class Load:
    def __init__(self, options):
        self.options = options
        self.url = urllib.parse.urlsplit(options.url)
        self.outcomes = {}
        self.first, self.between = [], []
        self.tokens = 0

    def count(self, outcome):
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    async def ask(self, prompt, max_tokens, leave_after=None):
        """Streams one answer. The time to its first token in ms, or None where there is none.
        `leave_after`: goes away after so many tokens."""
        body = json.dumps({"model": self.options.model, "prompt": prompt, "stream": True,
                           "max_tokens": max_tokens, "temperature": self.options.temperature})
        start = time.perf_counter()
        reader, writer = await asyncio.open_connection(self.url.hostname, self.url.port or 80)
        first = None
        try:
            writer.write((f"POST /v1/completions HTTP/1.1\r\nHost: {self.url.netloc}\r\n"
                          "Content-Type: application/json\r\nConnection: close\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
            status = int((await reader.readline()).split()[1])
            if status != 200:
                self.count(str(status))
                await asyncio.sleep(0.5)
                return None
            last, done, answered = None, False, 0
            async for line in reader:
                if line.startswith(b"data: [DONE]"):
                    done = True
                elif line.startswith(b"data: {"):
                    if b'"error"' in line:
                        self.count("error in stream")
                        return None
                    if not json.loads(line[6:])["choices"]:
                        continue
                    now = time.perf_counter()
                    if last is None:
                        first = (now - start) * 1000
                        self.first.append(first)
                    else:
                        self.between.append((now - last) * 1000)
                    last = now
                    self.tokens += 1
                    answered += 1
                    if answered == leave_after:
                        self.count("left")
                        return first
            self.count("200" if done else "no [DONE]")
        except (OSError, ValueError, IndexError) as error:
            self.count(type(error).__name__)
        finally:
            writer.close()
        return first

    async def client(self, number, until):
        rng = random.Random(number)
        while time.perf_counter() < until:
            words = " ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 60)))
            max_tokens = rng.randint(16, 96)
            leave_after = rng.randint(1, max_tokens) if rng.random() < self.options.leave else None
            await self.ask(f"Client {number} asks about {words}.", max_tokens, leave_after)

    async def watch_memory(self, until):
        """(least, most) MB that the server has from now on."""
        sizes = []
        while time.perf_counter() < until:
            sizes.append(resident_mb(self.options.pid))
            await asyncio.sleep(1)
        return min(sizes), max(sizes)

    async def run(self):
        seconds, pid = self.options.seconds, self.options.pid
        start = time.perf_counter()
        clients = [asyncio.create_task(self.client(i, start + seconds))
                   for i in range(self.options.clients)]
        await asyncio.sleep(seconds / 4)
        least, most = await self.watch_memory(start + seconds) if pid else (None, None)
        await asyncio.gather(*clients)
        elapsed = time.perf_counter() - start
        return {"clients": self.options.clients, "seconds": round(elapsed, 1),
                "outcomes": self.outcomes, "tokens_per_second": round(self.tokens / elapsed, 1),
                "first_token_ms": {"p50": percentile(self.first, .5), "p99": percentile(self.first, .99)},
                "between_tokens_ms": {"p50": percentile(self.between, .5),
                                      "p99": percentile(self.between, .99),
                                      "longest": round(max(self.between, default=0), 1)},
                "resident_mb": {"least": least, "most": most}}

    async def prefix(self):
        """The same beginning of about so many tokens, five times; then others of that length."""
        rng = random.Random(1)
        text = lambda: " ".join(rng.choice(WORDS) for _ in range(self.options.prefix))
        common = text()
        cold = [await self.ask(f"{text()} {i}", 4) for i in range(3)]
        await self.ask(f"{common} start", 4)
        warm = [await self.ask(f"{common} question {i}", 4) for i in range(5)]
        return {"prefix_words": self.options.prefix, "outcomes": self.outcomes,
                "first_token_ms": {"unknown": percentile(cold, .5), "known": percentile(warm, .5)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default="", help="else the server's first")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--temperature", type=float, default=0)
    parser.add_argument("--leave", type=float, default=0, help="share of requests abandoned midway")
    parser.add_argument("--prefix", type=int, default=0)
    parser.add_argument("--pid", type=int, default=0, help="of the server, for its memory")
    options = parser.parse_args()
    if not options.model:
        with urllib.request.urlopen(options.url + "/v1/models") as answer:
            options.model = json.load(answer)["data"][0]["id"]
    load = Load(options)
    result = asyncio.run(load.prefix() if load.options.prefix else load.run())
    print(json.dumps(result))
    return 0 if set(load.outcomes) <= {"200", "429", "left"} else 1


if __name__ == "__main__":
    sys.exit(main())
