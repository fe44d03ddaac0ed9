"""ponder bench: what it measures and how it says so; no speed is judged."""
import json
import re
import signal
import subprocess

import pytest

from test_cli import fails

SHORT = ["--prompt", "8", "--gen", "3", "--repeat", "2"]


@pytest.fixture(scope="module")
def models(ponder_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = {}
    for shape in ("qwen2-tiny", "deepseek-v3-tiny"):
        paths[shape] = folder / f"{shape}.gguf"
        subprocess.run([ponder_bin, "synth", "--shape", shape, "-o", paths[shape]], check=True,
                       stdout=subprocess.DEVNULL)
    return paths


@pytest.mark.parametrize("shape", ["qwen2-tiny", "deepseek-v3-tiny"])
def test_json(ponder, models, shape):
    done = ponder("bench", "-m", models[shape], "--prompt", "8,5", "--gen", "3", "--batch", "1,4",
                  "--depth", "0,6", "--repeat", 2, "--threads", 1, "--profile", "--json")
    assert done.returncode == 0 and done.stderr == ""
    seen = json.loads(done.stdout)
    assert list(seen) == ["machine", "model", "load_seconds", "peak_bytes", "results", "profile"]
    machine, model = seen["machine"], seen["model"]
    assert machine["threads"] == 1 and machine["isa"] in ("ref", "avx2", "avx512", "avx512_vnni", "amx")
    for key in ("read_bandwidth_gb_s", "multiply_rate_g_s", "float_multiply_rate_g_s"):
        assert machine[key] > 0
    assert model["file"] == models[shape].name and model["params"] > 1e6
    assert 0.9 * models[shape].stat().st_size < model["bytes"] < models[shape].stat().st_size
    assert 1e6 < seen["peak_bytes"] < 1e9 and seen["load_seconds"] > 0
    tests = [(r["test"], r["batch"], r["depth"]) for r in seen["results"]]
    assert tests == [("pp8", 1, 0), ("pp5", 1, 0)] + [("tg3", b, d) for d in (0, 6) for b in (1, 4)]
    for result in seen["results"]:
        assert 0 < result["min"] <= result["tokens_per_second"] <= result["max"]
        assert result["roofline_fraction"] > 0 and result["limit"] in ("memory", "multiplication")
        ops = [row for row in seen["profile"]
               if [row[k] for k in ("test", "batch", "depth")] == [result[k] for k in ("test", "batch", "depth")]]
        names = {row["op"] for row in ops}
        assert {"matmul", "attention", "rmsnorm", "rope", "matmul_gated", "embedding", "sample", "other"} <= names
        assert ("moe" in names) == (shape == "deepseek-v3-tiny")
        assert sum(row["share"] for row in ops) == pytest.approx(1, abs=0.01)
        assert all(row["calls"] > 0 for row in ops if row["op"] != "other")


def test_the_table(ponder, models):
    done = ponder("bench", "-m", models["qwen2-tiny"], *SHORT, "--profile")
    assert done.returncode == 0 and done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if row and re.match("(pp|tg)", row[0])] == ["pp8", "tg3"]
    assert any(row[:1] == ["matmul"] for row in rows) and "GB/s" in done.stdout


def test_compare(ponder, models, tmp_path):
    before = tmp_path / "before.json"
    done = ponder("bench", "-m", models["qwen2-tiny"], *SHORT, "--json")
    before.write_text(done.stdout)
    assert "profile" not in json.loads(done.stdout) and "ratio" not in done.stdout
    done = ponder("bench", "-m", models["qwen2-tiny"], "--prompt", "8,9", "--gen", 0, "--repeat", 1,
                  "--compare", before, "--json")
    first, second = json.loads(done.stdout)["results"]
    was = json.loads(before.read_text())["results"][0]["tokens_per_second"]
    assert first["ratio"] == pytest.approx(first["tokens_per_second"] / was, abs=1e-3)
    assert second["ratio"] is None
    text = ponder("bench", "-m", models["qwen2-tiny"], *SHORT, "--compare", before).stdout
    assert "ratio" in text and "qwen2-tiny.gguf" in text


@pytest.mark.parametrize("content,part", [
    ("", "JSON"), ("{", "JSON"), ("[]", "results"), ("{}", "results"), ('{"results": []}', "results"),
    ('{"results": [1]}', "results"), ('{"results": [{"test": "pp8"}]}', "batch"),
    ('{"results": [{"test": "a", "batch": 1, "depth": 0, "tokens_per_second": 0}]}', "speed")])
def test_compare_with_something_else(ponder, models, tmp_path, content, part):
    path = tmp_path / "other.json"
    path.write_text(content)
    fails(ponder("bench", "-m", models["qwen2-tiny"], "--compare", path), path)
    assert part in ponder("bench", "-m", models["qwen2-tiny"], "--compare", path).stderr


def test_compare_with_nothing(ponder, models, tmp_path):
    fails(ponder("bench", "-m", models["qwen2-tiny"], "--compare", tmp_path / "none"), "none")


@pytest.mark.parametrize("arguments,part", [
    (["--prompt", "x"], "--prompt"), (["--prompt", "1,,2"], "--prompt"), (["--gen", "-1"], "--gen"),
    (["--batch", "0"], "--batch"), (["--batch", "1;2"], "--batch"), (["--depth", "1.5"], "--depth"),
    (["--repeat", "0"], "--repeat"), (["--threads", "-1"], "--threads"), (["--isa", "mmx"], "--isa")])
def test_wrong_flags(ponder, models, arguments, part):
    fails(ponder("bench", "-m", models["qwen2-tiny"], *arguments), part, "--help", status=2)


def test_impossible_tests_are_told_before_any_runs(ponder, models):
    model = ["-m", models["qwen2-tiny"]]
    fails(ponder("bench", *model, "--prompt", 0, "--gen", 0), "nothing to measure")
    fails(ponder("bench", *model, "--prompt", "8,4097"), "--prompt", "4096")
    fails(ponder("bench", *model, "--gen", 4, "--depth", "0,4093"), "--depth", "4096")


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_ctrl_c(ponder_bin, models, flags):
    process = subprocess.Popen([ponder_bin, "bench", "-m", models["qwen2-tiny"], "--gen", "64", "--repeat",
                                "10000", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and errors == ""
    assert out == "" if flags else out.startswith("machine")
