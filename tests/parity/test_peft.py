"""Adapters and Hugging Face's PEFT: it loads ours, we load its own, and the logits are the same. Needs
build/venv-peer-torch (see peft_peer.py)."""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "build/venv-peer-torch/bin/python"
BASE = ROOT / "tests/golden/model/qwen2-s1"
IDS = ",".join(str(7 * i % 256) for i in range(24))
RECIPE = """
[model]
path = "{base}"
tokenizer = "{tokenizer}"
[lora]
rank = 2
modules = ["q_proj", "v_proj", "down_proj"]
[data]
train = "ids.jsonl"
template = "none"
[train]
steps = 5
batch = 1
[optimizer]
rate = 0.05
"""


@pytest.fixture(autouse=True)
def peer():
    if not PEER.exists():
        pytest.skip(f"{PEER} is not there: see tests/parity/peft_peer.py")


def logits_with_peft(adapter, out):
    """(with the adapter, without it)"""
    safetensors = pytest.importorskip("safetensors.numpy")
    subprocess.run([PEER, ROOT / "tests/parity/peft_peer.py", "logits", BASE, adapter, IDS, out], check=True)
    found = safetensors.load_file(out)
    return found["logits"], found["base"]


def logits_of_merged(ponder, adapter, folder):
    safetensors = pytest.importorskip("safetensors.numpy")
    result = ponder("train", "merge", "-m", BASE, "--adapter", adapter, "--out", folder / "merged", "--type", "f32")
    assert result.returncode == 0, result.stderr
    result = ponder("logits", "-m", folder / "merged", "--tokens", IDS, "--out", folder / "own.safetensors")
    assert result.returncode == 0, result.stderr
    return safetensors.load_file(folder / "own.safetensors")["logits"]


def check(ponder, adapter, folder):
    expected, plain = logits_with_peft(adapter, folder / "peft.safetensors")
    largest = abs(expected).max()
    assert abs(expected - plain).max() > 0.01 * largest  # the adapter says something
    assert abs(logits_of_merged(ponder, adapter, folder) - expected).max() <= 1e-4 * largest


def test_peft_loads_an_adapter_of_ours(ponder, tmp_path):
    (tmp_path / "ids.jsonl").write_text(json.dumps({"tokens": list(range(2, 60)), "learn_from": 1}) + "\n")
    shutil.copy(ROOT / "tests/golden/text/qwen2.tokenizer.json", tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<｜end▁of▁sentence｜>"}')
    (tmp_path / "recipe.toml").write_text(RECIPE.format(base=BASE, tokenizer=tmp_path))
    result = ponder("train", "sft", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    check(ponder, tmp_path / "run/adapter", tmp_path)


def test_an_adapter_of_peft_is_loaded(ponder, tmp_path):
    adapter = tmp_path / "adapter"
    subprocess.run([PEER, ROOT / "tests/parity/peft_peer.py", "make", BASE, adapter,
                    "q_proj,k_proj,o_proj,gate_proj,up_proj"], check=True)
    check(ponder, adapter, tmp_path)
