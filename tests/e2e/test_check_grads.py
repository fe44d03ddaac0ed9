"""ponder train check-grads against the gradients of Hugging Face transformers."""
import json

import numpy
import pytest
import safetensors.numpy

from conftest import ROOT
from test_cli import fails

MODELS = ROOT / "tests/golden/model"
FAMILIES = ["deepseek_v3-s1", "deepseek_v2-s1", "qwen2-s1"]


def tokens_of(name):
    tokens = safetensors.numpy.load_file(MODELS / name / "expected.safetensors")["tokens"]
    return ",".join(map(str, tokens.flatten()))


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_are_those_of_the_reference(ponder, tmp_path, name):
    out = tmp_path / "gradients.safetensors"
    done = ponder("train", "check-grads", "-m", MODELS / name, "--tokens", tokens_of(name), "--out",
                  out, "--json")
    assert done.returncode == 0 and done.stderr == ""
    expected = safetensors.numpy.load_file(MODELS / name / "grads.safetensors")
    actual = safetensors.numpy.load_file(out)
    assert actual.keys() == expected.keys()
    assert json.loads(done.stdout) == {"loss": pytest.approx(float(actual["loss"][0])),
                                       "path": str(out)}
    assert actual["loss"][0] == pytest.approx(expected["loss"][0], abs=1e-4)
    for key, gradient in expected.items():
        assert actual[key].shape == gradient.shape
        assert numpy.abs(actual[key] - gradient).max() <= 1e-4 * numpy.abs(gradient).max(), key


def test_threads_do_not_matter(ponder, tmp_path):
    def gradients(threads):
        out = tmp_path / f"{threads}.safetensors"
        assert ponder("train", "check-grads", "-m", MODELS / "deepseek_v3-s1", "--tokens", "-",
                      "--out", out, "--threads", threads,
                      input=tokens_of("deepseek_v3-s1")).returncode == 0
        return out.read_bytes()
    assert gradients(1) == gradients(2) == gradients(3)


def test_what_is_wrong_is_told_and_nothing_is_written(ponder, tmp_path):
    out = tmp_path / "gradients.safetensors"
    flags = ["train", "check-grads", "-m", MODELS / "qwen2-s1", "--out", out, "--tokens"]
    fails(ponder(*flags, "1"), "2 to")
    fails(ponder(*flags, "1,256"), "256", "--tokens")
    fails(ponder(*flags[:2], "-m", tmp_path / "no", *flags[4:], "1,2"), "no")
    fails(ponder(*flags[:4], "--tokens", "1,2"), "--out", status=2)
    assert list(tmp_path.iterdir()) == []
