#!/usr/bin/env python3
"""What constrained output costs a running server: the time a token takes, with and without.

    bench/serve_masks.py --url http://127.0.0.1:8080 [--clients 16] [--rounds 5] [--tokens 96]

"any" is a grammar that allows every text, so the answers are those without one and only the masks
differ; "json" is a JSON object of free form; "schema" is a list of records with strings, numbers
and enumerations. The time of a token depends on how many answers share a pass and on how long they
are, so all must have the same length: none may end before --tokens, which is checked. Each round
asks for every kind between two rounds without, and compares with their mean. Prints for each kind
the median milliseconds a token, taken from the server's own timings, the median ratio to none with
its quartiles, and how many answers ended early. The first round, which fills the cache of masks, is
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
    """And whether the answer had the whole length."""
    body = {"messages": [{"role": "user", "content": f"Shop {number}: list forty things you sell, with prices, as one JSON "
                                                     "object with a key for each thing."}],
            "max_tokens": options.tokens, "temperature": 0, "ignore_eos": True} | KINDS[kind]
    request = urllib.request.Request(options.url + "/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        answer = json.load(answer)
    return answer["timings"]["predicted_per_token_ms"], answer["usage"]["completion_tokens"] == options.tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    early = dict.fromkeys(KINDS, 0)
    with concurrent.futures.ThreadPoolExecutor(options.clients) as pool:

        def measured(kind):
            answers = list(pool.map(lambda number: milliseconds_a_token(options, kind, number), range(options.clients)))
            early[kind] += sum(not whole for _, whole in answers)
            return statistics.mean(time for time, _ in answers)

        first = {kind: measured(kind) for kind in KINDS}
        early = dict.fromkeys(KINDS, 0)
        times = {kind: [] for kind in KINDS}
        ratios = {kind: [] for kind in KINDS if kind != "none"}
        for _ in range(options.rounds):
            times["none"].append(measured("none"))
            for kind in ratios:
                times[kind].append(measured(kind))
                times["none"].append(measured("none"))
                ratios[kind].append(times[kind][-1] / statistics.mean(times["none"][-2:]))
    for kind, values in times.items():
        line = {"kind": kind, "clients": options.clients, "first_round_ms": round(first[kind], 3),
                "ms_per_token": round(statistics.median(values), 3), "ended_early": early[kind]}
        if kind in ratios:
            low, middle, high = statistics.quantiles(ratios[kind], n=4)
            line |= {"ratio": round(middle, 3), "quartiles": [round(low, 3), round(high, 3)]}
        print(json.dumps(line))


if __name__ == "__main__":
    main()
