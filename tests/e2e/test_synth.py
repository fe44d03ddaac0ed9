"""ponder synth: random models of real shapes, written and run."""
import json
import signal
import subprocess
import time

import numpy
import pytest
import safetensors.numpy

from test_cli import fails

TINY = ["qwen2-tiny", "qwen3-tiny", "llama3-tiny", "deepseek-v2-tiny", "deepseek-v3-tiny"]


@pytest.mark.parametrize("shape", TINY)
def test_a_synthetic_model_runs(ponder, tmp_path, shape):
    path, out = tmp_path / "model.gguf", tmp_path / "logits"
    done = ponder("synth", "--shape", shape, "--quant", "q4_k_m", "--out", path, "--json")
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout) == {"path": str(path), "shape": shape, "type": "q4_k_m",
                                       "bytes": path.stat().st_size}
    model = json.loads(ponder("info", "-m", path, "--json").stdout)["model"]
    assert model["tokenizer"]["tokens"] == 1024 and "f32" in model["formats"]
    assert ponder("logits", "-m", path, "--tokens", "1,2,3", "--out", out).returncode == 0
    logits = safetensors.numpy.load_file(out)["logits"]
    assert numpy.isfinite(logits).all() and 0.1 < logits.std() < 1
    answer = ponder("run", "-m", path, "--raw", "--greedy", "-n", 4, "--json", "hello world")
    assert 1 <= len(json.loads(answer.stdout)["tokens"]) <= 4


def test_same_seed_same_bytes(ponder, tmp_path):
    def made(name, *flags):
        path = tmp_path / name
        assert ponder("synth", "--shape", "deepseek-v3-tiny", "--quant", "q4_0", "-o", path,
                      *flags).returncode == 0
        return path.read_bytes()
    one = made("one", "--threads", 1)
    assert one == made("two", "--threads", 2) == made("zero", "--seed", 0)
    assert one != made("other", "--seed", 1)


def test_layers_by_name_and_by_flag(ponder, tmp_path):
    for name, arguments in [("a.gguf", ["qwen2-tiny-1-layers"]), ("b.gguf", ["qwen2-tiny", "--layers", 1])]:
        assert ponder("synth", "--out", tmp_path / name, "--shape", *arguments).returncode == 0
        model = json.loads(ponder("info", "-m", tmp_path / name, "--json").stdout)["model"]
        assert model["layers"] == 1


@pytest.mark.parametrize("arguments,part", [
    ([], "--shape"), (["--shape", "qwen2-tiny"], "--out"),
    (["--shape", "gpt9", "--out", "x"], "gpt9"),
    (["--shape", "qwen2-tiny-0-layers", "--out", "x"], "--shape"),
    (["--shape", "qwen2-tiny", "--out", "x", "--layers", "0"], "--layers"),
    (["--shape", "qwen2-tiny", "--out", "x", "--quant", "q9"], "--quant"),
    (["--shape", "qwen2-tiny", "--out", "x", "--seed", "-1"], "--seed"),
    (["--shape", "qwen2-tiny", "--out", "x", "--threads", "x"], "--threads")])
def test_wrong_flags(ponder, tmp_path, arguments, part):
    fails(ponder("synth", *arguments, cwd=tmp_path), part, "--help", status=2)
    assert list(tmp_path.iterdir()) == []


def test_no_room_and_no_folder_are_told_and_leave_nothing(ponder, tmp_path):
    path = tmp_path / "huge.gguf"
    fails(ponder("synth", "--shape", "deepseek-v3-1000-layers", "--quant", "f32", "--out", path),
          path, "disk", "free some space")
    fails(ponder("synth", "--shape", "qwen2-tiny", "--out", tmp_path / "no/x"), "no/x")
    fails(ponder("synth", "--shape", "qwen2-tiny-3-layers", "--layers", 4, "--out", path), "--layers")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing(ponder_bin, tmp_path):
    path = tmp_path / "model.gguf"
    process = subprocess.Popen([ponder_bin, "synth", "--shape", "llama3-8b", "--quant", "q8_0", "--out",
                                path], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not list(tmp_path.iterdir()) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and out == b"" and errors == b""
    assert list(tmp_path.iterdir()) == []
