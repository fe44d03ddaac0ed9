"""The figures of bench/peers.py, derived from the raw values of its results.json.

A model's "tests" hold what was measured: {"kind", "label", "ponder": [...], "peer": {way: [...]}}, one
value a round, and "scale" (bytes of file and cache) for memory. A way is a choice of the peer's settings.
"""
import statistics
from dataclasses import dataclass


@dataclass
class Spread:
    median: float
    low: float
    high: float


@dataclass
class Row:
    """One test, ready to be shown."""
    kind: str  # a key of KINDS
    label: str
    ponder: Spread
    peer: Spread
    way: str  # the peer's settings
    ratio: float  # above 1: Ponder is better; perplexity: Ponder's through the peer's


@dataclass
class Kind:
    unit: str
    more_is_better: bool
    show: object  # value → text


def significant(value):
    """Three digits that count, never an exponent."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


KINDS = {
    "speed": Kind("tokens/s", True, significant),
    "load": Kind("seconds", False, lambda value: f"{value:.2f}"),
    "memory": Kind("peak memory through file and cache", False, lambda value: f"{value:.2f}"),
    "perplexity": Kind("perplexity", False, lambda value: f"{value:.4f}"),
}


def spread(values):
    return Spread(statistics.median(values), min(values), max(values))


def best_way(ways, more_is_better):
    """The name and the values of the peer's best settings, by the median. The first wins a tie."""
    sign = -1 if more_is_better else 1
    return min(ways.items(), key=lambda item: sign * statistics.median(item[1]))


def row(test):
    kind = KINDS[test["kind"]]
    way, values = best_way(test["peer"], kind.more_is_better)
    scale = test.get("scale", 1)
    ponder, peer = (spread([value / scale for value in side]) for side in (test["ponder"], values))
    ponder_first = kind.more_is_better or test["kind"] == "perplexity"
    ratio = ponder.median / peer.median if ponder_first else peer.median / ponder.median
    return Row(test["kind"], test["label"], ponder, peer, way, ratio)


def rows(model):
    return [row(test) for test in model["tests"]]


def slow_ways(tests, margin):
    """Settings of the peer that were slower than the best by more than `margin` in every test."""
    tests = [test for test in tests if test["kind"] == "speed"]
    slow = None
    for test in tests:
        best = max(statistics.median(values) for values in test["peer"].values())
        here = {way for way, values in test["peer"].items() if statistics.median(values) < best * (1 - margin)}
        slow = here if slow is None else slow & here
    return slow or set()


def ratio_text(item):
    return f"{item.ratio:.4f}" if item.kind == "perplexity" else f"{item.ratio:.2f}"


def spread_text(item, side):
    show = KINDS[item.kind].show
    value = getattr(item, side)
    if show(value.low) == show(value.high):
        return show(value.median)
    return f"{show(value.median)} ({show(value.low)}–{show(value.high)})"
