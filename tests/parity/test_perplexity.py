"""The perplexity of a fixed text is that of llama.cpp on the same file, within 0.5 %.

The expected numbers were made with bench/peers_llama.py (see tests/golden/README.md), so this test
needs no peer; bench/peers.py compares with a living one.
"""
import json
import math
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden/perplexity"
EXPECTED = json.loads((GOLDEN / "llama_cpp.json").read_text())


@pytest.mark.parametrize("name,fixture", [("qwen2.5-coder-0.5b", "coder_half_b"),
                                          ("qwen2.5-coder-1.5b", "coder_one_and_half_b")])
def test_perplexity_within_half_a_percent(ponder, request, name, fixture):
    done = ponder("perplexity", "-m", request.getfixturevalue(fixture), "--file", GOLDEN / "text.txt",
                  "--ctx", EXPECTED["ctx"], "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    ours, peer = json.loads(done.stdout), EXPECTED["models"][name]
    assert ours["tokens"] == peer["tokens"]
    assert ours["perplexity"] == pytest.approx(math.exp(ours["nll"]), rel=1e-6)
    assert ours["perplexity"] == pytest.approx(math.exp(peer["nll"]), rel=0.005)
