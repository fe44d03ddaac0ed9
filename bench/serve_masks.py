#!/usr/bin/env python3
"""What constrained output costs a running server: the time a token takes, with and without.

    bench/serve_masks.py --url http://127.0.0.1:8080 [--clients 16] [--rounds 5] [--tokens 128]

"any" is a grammar that allows every text, so the answers are those without one and only the masks
differ; "json" is a JSON object of free form; "schema" is a list of records with strings, numbers
and enumerations. Rounds alternate. Prints the median milliseconds a token of each, taken from the
server's own timings, and the ratio to none. The first round, which fills the cache of masks, is
told apart.
"""
import argparse
import concurrent.futures
import json
import statistics
import urllib.request

RECORD = {"type": "object", "additionalProperties": False, "required": ["name", "kind", "price", "tags"], "properties": {
    "name": {"type": "string"}, "kind": {"enum": ["tool", "book", "toy"]}, "price": {"type": "number"},
    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4}}}
SCHEMA = {"type": "object", "additionalProperties": False, "required": ["items"],
          "properties": {"items": {"type": "array", "items": RECORD, "minItems": 12}}}
KINDS = {
    "none": {},
    "any": {"structured_outputs": {"regex": r"[\s\S]*"}},
    "json": {"response_format": {"type": "json_object"}},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "shop", "strict": True,
                                                                          "schema": SCHEMA}}},
}


def milliseconds_a_token(options, kind, number):
    body = {"messages": [{"role": "user", "content": f"Shop {number}: list twelve things you sell, with prices, as JSON."}],
            "max_tokens": options.tokens, "temperature": 0} | KINDS[kind]
    request = urllib.request.Request(options.url + "/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        timings = json.load(answer)["timings"]
    return timings["predicted_per_token_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    options = parser.parse_args()
    times = {kind: [] for kind in KINDS}
    with concurrent.futures.ThreadPoolExecutor(options.clients) as pool:
        for _ in range(options.rounds + 1):
            for kind in KINDS:
                answers = pool.map(lambda number: milliseconds_a_token(options, kind, number), range(options.clients))
                times[kind].append(statistics.mean(answers))
    medians = {kind: statistics.median(values[1:]) for kind, values in times.items()}
    for kind, values in times.items():
        print(json.dumps({"kind": kind, "clients": options.clients, "first_round_ms": round(values[0], 3),
                          "ms_per_token": round(medians[kind], 3), "ratio": round(medians[kind] / medians["none"], 3)}))


if __name__ == "__main__":
    main()
