"""ponder train from outside: the same bytes on threads, ranks and after kills; files that others read."""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
STEPS = 60


@pytest.fixture
def recipe(tmp_path):
    """A folder with the recipe of tests/golden/train and its data; gives the recipe's path."""
    folder = tmp_path / "recipe"
    folder.mkdir()
    for name in ("config.json", "recipe.toml"):
        shutil.copy(GOLDEN / "train" / name, folder)
    shutil.copy(GOLDEN / "text/qwen2.tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<｜end▁of▁sentence｜>"}')
    lines = [json.dumps({"prompt": f"{a}+{b}=", "answer": str(a + b)}) for a in range(10) for b in range(10)]
    (folder / "train.jsonl").write_text("\n".join(lines[:80]) + "\n")
    (folder / "eval.jsonl").write_text("\n".join(lines[80:]) + "\n")
    return folder / "recipe.toml"


def arguments(recipe, out, *more):
    return ["train", "sft", str(recipe), "--out", str(out), "--set", f"train.steps={STEPS}", *map(str, more)]


def sha_of(result):
    assert result.returncode == 0, result.stderr
    match = re.fullmatch(r"weights sha256: ([0-9a-f]{64})", result.stdout.splitlines()[-1])
    assert match, result.stdout
    return match[1]


def figures(out):
    """metrics.jsonl without what the clock says."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "time")} for line in lines]


def lines_in(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_ten_kills_change_nothing(ponder, ponder_bin, recipe, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = sha_of(ponder(*arguments(recipe, whole)))
    assert [line["step"] for line in figures(whole)] == list(range(1, STEPS + 1))
    chance = random.Random(7)
    kills = 0
    for _ in range(10):
        process = subprocess.Popen([str(ponder_bin), *arguments(recipe, killed, "--resume")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Some steps further than it was, and then at any moment within a step.
        goal = lines_in(killed / "metrics.jsonl") + chance.randrange(1, 6)
        while process.poll() is None and lines_in(killed / "metrics.jsonl") < min(goal, STEPS - 1):
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 5
    assert sha_of(ponder(*arguments(recipe, killed, "--resume", "--threads", 2))) == expected
    assert figures(killed) == figures(whole)
    assert (killed / "samples.jsonl").read_bytes() == (whole / "samples.jsonl").read_bytes()


def test_ctrl_c_leaves_a_checkpoint(ponder, ponder_bin, recipe, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    expected = sha_of(ponder(*arguments(recipe, whole)))
    process = subprocess.Popen([str(ponder_bin), *arguments(recipe, stopped)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    while lines_in(stopped / "metrics.jsonl") < 5:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert "go on with --resume" in errors
    assert sha_of(ponder(*arguments(recipe, stopped, "--resume"))) == expected


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_of_mpirun_come_to_the_same_bytes(ponder, ponder_bin, recipe, tmp_path, ranks):
    if not shutil.which("mpirun"):
        pytest.skip("mpirun is not installed")
    expected = sha_of(ponder(*arguments(recipe, tmp_path / "alone")))
    mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), str(ponder_bin)]
    together = subprocess.run([*mpirun, *arguments(recipe, tmp_path / "ranks")], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300)
    assert sha_of(together) == expected
    assert figures(tmp_path / "ranks") == figures(tmp_path / "alone")
    # An error of the recipe ends all of them.
    wrong = subprocess.run([*mpirun, *arguments(recipe, tmp_path / "wrong", "--set", "train.stepps=1")],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    assert wrong.returncode != 0
    assert "train.steps" in wrong.stderr


@pytest.fixture
def disk_of(tmp_path):
    """Mounts a disk of so many kilobytes."""
    mounted = []

    def mount(kilobytes):
        folder = tmp_path / f"disk{kilobytes}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("only root can mount a small disk")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(ponder, recipe, tmp_path, disk_of):
    expected = sha_of(ponder(*arguments(recipe, tmp_path / "whole")))
    checkpoint = sum(file.stat().st_size for file in next((tmp_path / "whole/checkpoints").iterdir()).iterdir())
    model = (tmp_path / "whole/model/model.safetensors").stat().st_size
    logs = 130_000  # tokenizer, metrics and the like

    # Room for one checkpoint and the model, not for a second: a warning, and the run goes on.
    out = disk_of((checkpoint + model + logs) // 1024) / "run"
    result = ponder(*arguments(recipe, out))
    assert sha_of(result) == expected
    assert "no checkpoint after step 4" in result.stderr and "No space left on device" in result.stderr
    first, = (out / "checkpoints").iterdir()
    assert first.name == "step-000000002.0000"
    assert figures(out) == figures(tmp_path / "whole")

    # No room for the model: an error in the end, and the checkpoint is there.
    out = disk_of((checkpoint + logs) // 1024) / "run"
    result = ponder(*arguments(recipe, out))
    assert result.returncode == 1
    assert "No space left on device" in result.stderr.splitlines()[-1]
    shutil.copytree(out, tmp_path / "moved")
    assert sha_of(ponder(*arguments(recipe, tmp_path / "moved", "--resume"))) == expected
    assert figures(tmp_path / "moved") == figures(tmp_path / "whole")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def records(path):
    """The records of a TFRecord file, check sums verified."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        length, head = struct.unpack_from("<QI", data, at)
        body = data[at + 12:at + 12 + length]
        tail, = struct.unpack_from("<I", data, at + 12 + length)
        for masked, part in ((head, data[at:at + 8]), (tail, body)):
            crc = crc32c(part)
            assert masked == (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF
        yield body
        at += 16 + length


def fields(message):
    """(number, value) of a protobuf message: whole numbers, or the bytes of all else."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, message[at:at + size]
        at += size


def test_tensorboard_reads_the_figures(ponder, recipe, tmp_path):
    out = tmp_path / "run"
    sha_of(ponder(*arguments(recipe, out)))
    version, *events = map(lambda record: dict(fields(record)), records(out / "tensorboard/events.out.tfevents.ponder"))
    assert version[3] == b"brain.Event:2"
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [event[2] for event in events] == [line["step"] for line in lines]
    for event, line in zip(events, lines):
        assert struct.unpack("<d", event[1])[0] == line["time"]
        values = {}
        for number, value in fields(event[5]):
            assert number == 1
            parts = dict(fields(value))
            values[parts[1].decode()] = struct.unpack("<f", parts[2])[0]
        assert values["loss"] == pytest.approx(line["loss"], rel=1e-6)
        assert set(values) == set(line) - {"step", "time"}


def test_the_trained_model_answers_and_is_reported(ponder, recipe, tmp_path):
    out = tmp_path / "run"
    sha_of(ponder(*arguments(recipe, out, "--set", "train.steps=300", "--set", "checkpoints.every=100")))
    answer = ponder("run", "-m", out / "model", "--raw", "--greedy", "-n", "4", "2+3=")
    assert answer.returncode == 0, answer.stderr
    result = ponder("report", out, "-o", tmp_path / "report.html")
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "report.html").read_text()
    for text in ("<figcaption>loss</figcaption>", "Transcripts of run", "optimizer.rate = 0.003", "3+4="):
        assert text in page
    assert "http" not in page.replace("http-equiv", "")  # needs nothing from outside
    assert ponder("report", tmp_path / "none").returncode == 1


def test_adapters_are_merged(ponder, recipe, tmp_path):
    (recipe.parent / "ids.jsonl").write_text('{"tokens": [1, 2, 3, 4, 5, 6]}\n')
    base = GOLDEN / "model/qwen2-s1"
    sets = [f"model.path={base}", 'model.config=""', "model.tokenizer=tokenizer.json", "model.mtp=false",
            "train.mtp=0", "data.train=ids.jsonl", "data.eval=[]", "samples.prompts=[]", "lora.rank=2",
            "optimizer.rate=0.05"]
    more = [part for set_ in sets for part in ("--set", set_)]
    sha_of(ponder(*arguments(recipe, tmp_path / "run", *more)))
    adapter = tmp_path / "run/adapter"
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA" and config["r"] == 2
    merged = tmp_path / "merged"
    result = ponder("train", "merge", "-m", base, "--adapter", adapter, "--out", merged, "--type", "f32")
    assert result.returncode == 0, result.stderr
    safetensors = pytest.importorskip("safetensors.numpy")
    before = safetensors.load_file(base / "model.safetensors")
    after = safetensors.load_file(merged / "model.safetensors")
    parts = safetensors.load_file(adapter / "adapter_model.safetensors")
    assert set(before) == set(after)
    changed = 0
    for name, weight in before.items():
        module = "base_model.model." + name.removesuffix(".weight")
        expected = weight.astype("f4")
        if module + ".lora_A.weight" in parts:
            scale = config["lora_alpha"] / config["r"]
            expected = expected + scale * parts[module + ".lora_B.weight"] @ parts[module + ".lora_A.weight"]
            changed += 1
        assert abs(after[name] - expected).max() <= 1e-5
    assert changed == 4 * 7


@pytest.mark.parametrize("change, words", [
    (["--set", "optimizer.ratte=1"], ["recipe", "optimizer.ratte", "optimizer.rate"]),
    (["--set", "train.batch=0"], ["train.batch", "whole number from 1"]),
    (["--set", "data.train=none.jsonl"], ["none.jsonl"]),
    (["--set", "model.config=none.json"], ["none.json"]),
])
def test_wrong_recipes_are_one_line(ponder, recipe, tmp_path, change, words):
    result = ponder(*arguments(recipe, tmp_path / "out", *change))
    assert result.returncode == 1
    line, = [text for text in result.stderr.splitlines() if text.startswith("ponder:")]
    for word in words:
        assert word in line.replace("--set ", "recipe ")
