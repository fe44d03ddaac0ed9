"""ponder train rl, sample, rescore and pipeline from outside, on a model so small that it learns little: what is
tested is that the same bytes come out whatever happens, and that files say what they should.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "recipes/tiny-r1"

TASK = """
[[task]]
name = "modular"
levels = [0, 1]

[evaluation]
problems = 20
seed = 3
samples = 2
forced = true
every = 2
first = true
"""
RECIPES = {
    "data.toml": """
seed = 1
[model]
path = "."
[demonstrations]
count = 400
worked = 0.5
mistake = 0.05
""" + TASK,
    "base.toml": """
seed = 1
[model]
config = "config.json"
tokenizer = "."
mtp = true
[data]
length = 96
group = 256
[train]
steps = 40
batch = 4
mtp = 0.1
[optimizer]
rate = 4e-3
""",
    "rl.toml": """
seed = 1
[model]
path = "."
mtp = true
[rl]
algorithm = "grpo"
steps = 4
prompts = 4
samples = 4
minibatches = 2
max_tokens = 40
context = 80
parallel = 16
leaf_tokens = 128
reference_every = 3
[reward]
form = 0.5
[optimizer]
rate = 1e-3
weight_decay = 0.0
[checkpoints]
every = 1
""" + TASK,
    "sample.toml": """
seed = 2
[model]
path = "."
[sample]
problems = 30
prompts = 8
samples = 4
max_tokens = 40
context = 80
[select]
keep = 2
""" + TASK,
    "pipeline.toml": """
[[stage]]
name = "data"
kind = "demonstrations"
recipe = "data.toml"
[[stage]]
name = "base"
kind = "pretrain"
recipe = "base.toml"
set = ["data.train={data}/demonstrations.jsonl"]
[[stage]]
name = "zero"
kind = "rl"
recipe = "rl.toml"
set = ["model.path={base}/model"]
[[stage]]
name = "samples"
kind = "sample"
recipe = "sample.toml"
set = ["model.path={zero}/model"]
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recipes with a small model's config and tokenizer."""
    folder = tmp_path_factory.mktemp("recipes")
    for name, text in RECIPES.items():
        (folder / name).write_text(text)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / name, folder)
    config = json.loads((TINY / "config.json").read_text())
    config.update(hidden_size=48, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2,
                  num_attention_heads=2, num_key_value_heads=2, n_routed_experts=4, kv_lora_rank=32,
                  q_lora_rank=32, v_head_dim=24, qk_nope_head_dim=24)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def pipeline(ponder, folder, tmp_path_factory):
    """A finished run of the whole pipeline, and what it printed."""
    out = tmp_path_factory.mktemp("run") / "out"
    result = ponder("train", "pipeline", folder / "pipeline.toml", "--out", out)
    assert result.returncode == 0, result.stderr
    return out, result


def sha_of(result):
    assert result.returncode == 0, result.stderr
    match = re.fullmatch(r"weights sha256: ([0-9a-f]{64})", result.stdout.splitlines()[-1])
    assert match, result.stdout
    return match[1]


def figures(out):
    """metrics.jsonl without what the clock says."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "time")} for line in lines]


def rl_arguments(folder, base, out, *more):
    return ["train", "rl", str(folder / "rl.toml"), "--out", str(out), "--set", f"model.path={base / 'model'}",
            *map(str, more)]


def test_log_probabilities_of_rollouts_are_the_trainers(pipeline):
    lines = figures(pipeline[0] / "zero")
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    for line in lines:
        assert line["ratio_error"] == 0.0
        assert line["gradient_norm"] > 0.0
        assert 0.0 <= line["accuracy"] <= 1.0
        assert line["entropy"] > 0.0
    assert lines[0]["kl"] == 0.0  # the reference is the policy itself
    assert lines[1]["kl"] > 0.0
    assert lines[3]["kl"] == 0.0  # refreshed after step 3
    assert "start_eval_greedy" in lines[0] and "eval_pass_at_2" in lines[1] and "eval_direct" in lines[3]


def test_pipeline_says_what_its_last_training_came_to(pipeline):
    out, result = pipeline
    done = json.loads((out / "zero/done.json").read_text())
    assert sha_of(result) == done["sha256"]
    report = json.loads((out / "samples/report.json").read_text())
    assert report["answers"] == 30 * 4
    kept = [json.loads(line) for line in (out / "samples/samples.jsonl").read_text().splitlines()]
    assert len(kept) == report["kept"]
    assert all({"prompt", "reasoning", "answer"} <= line.keys() for line in kept)


def test_a_finished_pipeline_is_not_run_again(ponder, pipeline, folder):
    out, result = pipeline
    again = ponder("train", "pipeline", folder / "pipeline.toml", "--out", out)
    assert again.returncode == 1 and "--resume" in again.stderr
    before = (out / "zero/metrics.jsonl").stat().st_mtime_ns
    again = ponder("train", "pipeline", folder / "pipeline.toml", "--out", out, "--resume")
    assert sha_of(again) == sha_of(result)
    assert (out / "zero/metrics.jsonl").stat().st_mtime_ns == before
    changed = ponder("train", "pipeline", folder / "pipeline.toml", "--out", out, "--resume", "--set",
                     "zero.rl.steps=9")
    assert changed.returncode == 1 and "another recipe" in changed.stderr


def test_a_stage_that_is_found_wanting_is_run_again_with_another_seed(ponder, pipeline, folder, tmp_path):
    recipe = folder / "again.toml"  # nothing so small solves everything
    recipe.write_text(RECIPES["pipeline.toml"].split("[[stage]]\nname = \"zero\"")[0] + """
[[stage]]
name = "check"
kind = "sample"
recipe = "sample.toml"
set = ["model.path={base}/model", "sample.problems=8", "sample.samples=1"]
solved = 1.0
again = "base"
tries = 2
""")
    out = tmp_path / "out"
    result = ponder("train", "pipeline", recipe, "--out", out, "--set", "base.train.steps=2")
    assert result.returncode == 1 and "after 2 tries" in result.stderr
    first, second = (json.loads((out / name / "done.json").read_text())["sha256"] for name in ("base-try1", "base"))
    assert (out / "check-try1/report.json").exists() and not (out / "data-try1").exists()
    alone = ["train", "pretrain", folder / "base.toml", "--set", f"data.train={out}/data/demonstrations.jsonl",
             "--set", "train.steps=2"]
    assert sha_of(ponder(*alone, "--out", tmp_path / "a")) == first
    assert sha_of(ponder(*alone, "--out", tmp_path / "b", "--seed", 1001)) == second
    # What was put aside counts when the run goes on.
    again = ponder("train", "pipeline", recipe, "--out", out, "--resume", "--set", "base.train.steps=2")
    assert again.returncode == 1 and "after 2 tries" in again.stderr
    assert not (out / "base-try2").exists()


@pytest.mark.parametrize("share", [True, False])
def test_prompts_may_be_shared_in_training(ponder, pipeline, folder, tmp_path, share):
    """Nothing but the order of sums may differ, and what the trainer finds is what the rollout found."""
    arguments = rl_arguments(folder, pipeline[0] / "base", tmp_path / "out", "--set", "rl.steps=1", "--set",
                             "evaluation.first=false", "--set", f"rl.share_prompts={str(share).lower()}")
    assert ponder(*arguments).returncode == 0
    usual = figures(pipeline[0] / "zero")[0]
    line = figures(tmp_path / "out")[0]
    assert line["ratio_error"] == 0.0 and line["entropy"] == pytest.approx(usual["entropy"], rel=1e-12)
    assert line["gradient_norm"] == pytest.approx(usual["gradient_norm"], rel=1e-5)


def test_threads_and_ranks_come_to_the_same_bytes(ponder, ponder_bin, pipeline, folder, tmp_path):
    out, result = pipeline
    one = ponder(*rl_arguments(folder, out / "base", tmp_path / "one", "--threads", 1))
    assert sha_of(one) == sha_of(result)
    assert figures(tmp_path / "one") == figures(out / "zero")
    if not shutil.which("mpirun"):
        pytest.skip("mpirun is not installed")
    for ranks in (2, 4):
        together = subprocess.run(
            ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), str(ponder_bin),
             *rl_arguments(folder, out / "base", tmp_path / f"ranks{ranks}", "--threads", 1)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        assert sha_of(together) == sha_of(result)
        assert figures(tmp_path / f"ranks{ranks}") == figures(out / "zero")


def test_what_layers_keep_or_compute_again_comes_to_the_same_bytes(ponder, pipeline, folder, tmp_path):
    out, result = pipeline
    kept = ponder(*rl_arguments(folder, out / "base", tmp_path / "kept", "--set", "rl.recompute=false"))
    assert sha_of(kept) == sha_of(result)
    assert figures(tmp_path / "kept") == figures(out / "zero")


def test_kills_change_nothing(ponder, ponder_bin, pipeline, folder, tmp_path):
    out, result = pipeline
    killed = tmp_path / "killed"
    kills = 0
    for pause in (0.05, 0.15, 0.3, 0.5):
        process = subprocess.Popen([str(ponder_bin), *rl_arguments(folder, out / "base", killed, "--resume")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        log = killed / "metrics.jsonl"
        seen = log.read_bytes().count(b"\n") if log.exists() else 0
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") > seen):
            time.sleep(0.002)
        time.sleep(pause / 10)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills > 0
    assert sha_of(ponder(*rl_arguments(folder, out / "base", killed, "--resume"))) == sha_of(result)
    assert figures(killed) == figures(out / "zero")
    for step in range(4):
        name = f"rollouts/step-{step:09d}.jsonl.zst"
        assert (killed / name).read_bytes() == (out / "zero" / name).read_bytes()


def test_rescoring_says_the_same_and_with_other_rewards_another(ponder, pipeline):
    zero = pipeline[0] / "zero"
    result = ponder("train", "rescore", zero, "--json")
    assert result.returncode == 0, result.stderr
    scores = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["step"] for line in scores] == [0, 1, 2, 3]
    for line, step in zip(scores, figures(zero)):
        assert line["changed"] == 0
        assert line["accuracy"] == line["accuracy_before"] == pytest.approx(step["accuracy"])
        assert line["reward"] == pytest.approx(line["reward_before"])
    other = ponder("train", "rescore", zero, "--json", "--set", "reward.accuracy=0", "--set", "reward.form=0")
    assert all(json.loads(line)["reward"] == 0.0 for line in other.stdout.splitlines())
    missing = ponder("train", "rescore", zero.parent / "base")
    assert missing.returncode == 1 and "reward.toml" in missing.stderr


ALGORITHMS = ["grpo", "dr_grpo", "dapo", "gspo", "cispo", "rloo", "reinforce++"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_runs(ponder, pipeline, folder, tmp_path, algorithm):
    result = ponder(*rl_arguments(folder, pipeline[0] / "base", tmp_path / "out", "--set", f"rl.algorithm={algorithm}",
                                  "--set", "rl.steps=2", "--set", "evaluation.problems=0"))
    sha_of(result)
    for line in figures(tmp_path / "out"):
        assert line["ratio_error"] == 0.0
        assert ("kl" in line) == (algorithm in ("grpo", "reinforce++"))


def test_a_reward_command_is_asked_and_may_fail(ponder, pipeline, folder, tmp_path):
    command = r"""while read -r line; do printf '%%s\n' "$line" >> %s; echo '{"reward": 0.5}'; done""" % (tmp_path / "asked")
    arguments = rl_arguments(folder, pipeline[0] / "base", tmp_path / "out", "--set", "rl.steps=1", "--set",
                             "evaluation.problems=0", "--set", f"reward.command={command}")
    sha_of(ponder(*arguments))
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    assert len(asked) == 16 and asked[0].keys() == {"id", "prompt", "answer", "response"}
    assert figures(tmp_path / "out")[0]["command"] == 0.5
    broken = ponder(*rl_arguments(folder, pipeline[0] / "base", tmp_path / "broken", "--set", "reward.command=exit 3"))
    assert broken.returncode == 1 and "no answer got a reward" in broken.stderr


def test_sampling_goes_on_where_it_was_stopped(ponder, pipeline, folder, tmp_path):
    out = pipeline[0]
    arguments = ["train", "sample", folder / "sample.toml", "--out", tmp_path / "s", "--set",
                 f"model.path={out / 'zero/model'}"]
    assert ponder(*arguments, "--json").returncode == 0
    assert (tmp_path / "s/samples.jsonl").read_bytes() == (out / "samples/samples.jsonl").read_bytes()
    assert "--resume" in ponder(*arguments).stderr
    # As if it had been killed before the third batch.
    for batch in (2, 3):
        (tmp_path / f"s/rollouts/step-{batch:09d}.jsonl.zst").unlink()
    os.utime(tmp_path / "s/rollouts/step-000000000.jsonl.zst", (1, 1))
    result = ponder(*arguments, "--resume", "--json")
    assert json.loads(result.stdout)["answers"] == 120
    assert (tmp_path / "s/rollouts/step-000000000.jsonl.zst").stat().st_mtime == 1
    assert (tmp_path / "s/samples.jsonl").read_bytes() == (out / "samples/samples.jsonl").read_bytes()


@pytest.mark.parametrize("setting, said", [
    ("rl.algorithm=ppo", "unknown algorithm"), ("rl.kl=k9", "unknown kind of KL"), ("task[0].name=astrology", "unknown task"),
    ("rl.context=9999", "256 positions"), ("rl.stepps=3", "rl.steps"), ("reward.language_name=tlh", "cannot be told")])
def test_mistakes_in_recipes_are_named(ponder, pipeline, folder, tmp_path, setting, said):
    result = ponder(*rl_arguments(folder, pipeline[0] / "base", tmp_path / "out", "--set", setting))
    assert result.returncode == 1
    assert said in result.stderr
