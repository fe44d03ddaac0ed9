"""The presets against datatrove, document by document: which are kept, why others are not, and the text that
stays. Needs build/venv-peer-data (see data_peer.py); PONDER_PEER_DOCS documents (default 600: datatrove
takes a minute for 5000)."""
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "build/venv-peer-data/bin/python"
PRESETS = ["gopher", "c4", "fineweb-datatrove", "fineweb-paper"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    if not PEER.exists():
        pytest.skip(f"{PEER} is not there: see tests/parity/data_peer.py")
    path = tmp_path_factory.mktemp("peer") / "docs.jsonl"
    count = os.environ.get("PONDER_PEER_DOCS", "600")
    subprocess.run([PEER, ROOT / "tests/parity/data_corpus.py", path, count], check=True)
    return path


@pytest.mark.parametrize("preset", PRESETS)
def test_decisions_are_datatroves(ponder, corpus, tmp_path, preset):
    subprocess.run([PEER, ROOT / "tests/parity/data_peer.py", preset, corpus, tmp_path / "peer.jsonl"], check=True,
                   capture_output=True)
    result = ponder("data", "filter", corpus, "--preset", preset, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    kept = {d["id"]: d["text"] for d in map(json.loads, open(tmp_path / "out/part-00000.jsonl", encoding="utf-8"))}
    removed = {d["id"]: d["rule"] for d in map(json.loads, open(tmp_path / "out/removed.jsonl", encoding="utf-8"))}
    differences, reasons = [], set()
    for peer in map(json.loads, open(tmp_path / "peer.jsonl", encoding="utf-8")):
        name = peer["id"]
        ours = (name in kept, removed.get(name), kept.get(name))
        if ours != (peer["keep"], peer["reason"], peer["text"]):
            differences.append((name, peer["reason"], removed.get(name)))
        reasons.add(peer["reason"])
    assert not differences
    assert len(reasons) > 3  # the corpus meets several rules
