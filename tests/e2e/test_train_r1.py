"""recipes/r1.toml, whole, at its smallest: the built-in model plays the base and the student."""
import json
import random
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/tiny-r1.gguf"
SHORT = ["max_tokens=64", "context=128"]
SETTINGS = {
    **{stage: ["rl.steps=1", "rl.prompts=4", "rl.samples=8", "rl.prompt=chat",
               "rl.temperature=2",  # else every answer is right, and there is nothing to learn
               *(f"rl.{s}" for s in SHORT),
               "rl.leaf_tokens=256", "reward.form_kind=think_answer", "evaluation.problems=4", "evaluation.samples=1"]
       for stage in ("zero", "dev2", "r1")},
    **{stage: ["sample.problems=8", "sample.prompts=4", "sample.samples=2", "sample.prompt=chat",
               *(f"sample.{s}" for s in SHORT), "select.form=think_answer", "evaluation.problems=4"]
       for stage in ("cold-start", "samples")},
    **{stage: ["data.length=128", "data.group=256", "train.epochs=1", "train.batch=2"]
       for stage in ("dev1", "dev3", "distilled")},
}
SETTINGS["cold-start"][0] = "sample.problems=4"  # so that dev1 and dev3 learn from different answers


@pytest.fixture(scope="module")
def run(ponder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("r1")
    draw = random.Random(1)
    with (folder / "problems.jsonl").open("w") as problems:
        for _ in range(40):
            a, b, c = (draw.randrange(10) for _ in range(3))
            problems.write(json.dumps({"prompt": f"({a}+{b})*{c}", "answer": str((a + b) * c % 10), "task": "modular"}))
            problems.write("\n")
    sets = [f"values.base={MODEL}", f"values.student={MODEL}", f"values.problems={folder / 'problems.jsonl'}"]
    sets += [f"{stage}.{setting}" for stage, settings in SETTINGS.items() for setting in settings]
    result = ponder("train", "pipeline", ROOT / "recipes/r1.toml", "--out", folder / "run", "--seed", 1,
                    *(word for setting in sets for word in ("--set", setting)))
    return folder / "run", result


def test_every_stage_runs_and_leaves_what_the_next_one_takes(run):
    out, result = run
    assert result.returncode == 0, result.stderr
    names = ["zero", "cold-start", "dev1", "dev2", "samples", "dev3", "r1", "distilled"]
    hashes = {}
    for name in names:
        done = json.loads((out / name / "done.json").read_text())
        if name in ("cold-start", "samples"):
            lines = [json.loads(line) for line in (out / name / "samples.jsonl").read_text().splitlines()]
            assert lines and all("<think>" in json.dumps(line) or "reasoning" in line for line in lines)
            continue
        assert (out / name / "model/model.safetensors").exists()
        hashes[name] = done["sha256"]
    assert len(set(hashes.values())) == len(hashes)  # each stage has learnt something
    assert result.stdout.splitlines()[-1] == f"weights sha256: {hashes['distilled']}"


def test_stages_of_reinforcement_differ_as_the_paper_says(run):
    out, _ = run
    language = {name: "language" in json.loads((out / name / "metrics.jsonl").read_text().splitlines()[0])
                for name in ("zero", "dev2", "r1")}
    assert language == {"zero": False, "dev2": True, "r1": True}
