"""The suites that are part of the program: every solution passes in the sandbox, and no wrong program does."""
import json
import os
import subprocess

import pytest

from conftest import ROOT
from fake_provider import Provider


def test_the_cpp_suite_is_listed_and_shown(ponder):
    listed = {suite["name"]: suite for suite in json.loads(ponder("eval", "list", "--json").stdout)}
    assert listed["cpp"]["problems"] >= 60 and listed["cpp"]["origin"] == "built in"
    shown = json.loads(ponder("eval", "show", "cpp", "--problem", "cpp/binary-gap", "--json").stdout)
    assert "1000010001" in shown["problem"]["question"] and shown["problem"]["level"] == 0
    assert "int main" not in shown["problem"]["question"]


def test_all_solutions_of_the_cpp_suite_pass_and_no_wrong_program_does(ponder_bin):
    if "no sandbox" in subprocess.run([ponder_bin, "judge", "selftest", "--quick"], capture_output=True, text=True).stderr:
        pytest.skip("nothing protects this machine")
    done = subprocess.run([ponder_bin, "eval", "check", "cpp", "--json"], capture_output=True, text=True, timeout=900)
    result = json.loads(done.stdout)
    assert (done.returncode, result["failed"], result["wrong_passed"]) == (0, [], [])
    assert result["wrong_checked"] >= result["checked"] >= 60
    records = map(json.loads, (ROOT / "suites/cpp.jsonl").open())
    hard = {record["id"] for record in records if record["level"] == 2}
    too_slow = {wrong["id"] for wrong in result["wrong_verdicts"] if wrong["verdict"] == "timeout"}
    assert len(hard) == 21 and hard <= too_slow  # each has a program that fails by nothing but its time


def test_the_cpp_suite_is_what_its_tasks_say():
    """Makes a task of each level again: statement, expected outputs, programs."""
    stored = {record["id"]: record for record in map(json.loads, (ROOT / "suites/cpp.jsonl").open())}
    script = ("import sys, json; sys.path.insert(0, 'tools/suites'); sys.argv = ['make_cpp.py']; import make_cpp\n"
              "made = [t.record() for t in make_cpp.cpp_suite.TASKS if t.name in {names}]\n"
              "print(json.dumps([len(make_cpp.cpp_suite.TASKS), made]))")
    names = ["odometer", "calculator", "quiet-party"]
    done = subprocess.run(["python3", "-c", script.replace("{names}", repr(names))], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, made = json.loads(done.stdout)
    assert count == len(stored) and len(made) == 3
    for record in made:
        assert record == stored[record["id"]]


def test_plus_makes_a_suite_of_more_tests(ponder, tmp_path):
    record = {"task_id": "t/0", "prompt": "def last(x):\n    \"\"\"The largest number of x.\"\"\"\n", "entry_point": "last",
              "canonical_solution": "    return max(x)\n",
              "test": "def check(candidate):\n    assert candidate([9, 4, 9]) == 9\n    assert candidate([6, 6]) == 6\n"}
    (tmp_path / "few.jsonl").write_text(json.dumps(record) + "\n")
    env = {**os.environ, "PONDER_CACHE": str(tmp_path)}
    done = ponder("eval", "plus", tmp_path / "few.jsonl", "-o", tmp_path / "more.jsonl", "--json", env=env)
    if "no sandbox" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    (problem,) = json.loads(done.stdout)
    assert problem["added"] >= 20 and problem["recorded"] == 2
    made = json.loads((tmp_path / "more.jsonl").read_text())
    assert made["test"].startswith(record["test"]) and made["plus"] == "ours, seed 1"
    assert ponder("eval", "add", "more", tmp_path / "more.jsonl", env=env).returncode == 0
    assert "Plus (ours)" in ponder("eval", "show", "more", env=env).stdout
    assert json.loads(ponder("eval", "check", "more", "--json", env=env).stdout)["failed"] == []
    refused = ponder("eval", "plus", "nosuch", "-o", tmp_path / "no.jsonl", env=env)
    assert refused.returncode == 1 and "neither a suite that was added nor a file" in refused.stderr
    for own in ("cpp", "arithmetic"):
        refused = ponder("eval", "plus", own, "-o", tmp_path / "own.jsonl", env=env)
        assert refused.returncode == 1 and "is part of the program, not a file" in refused.stderr
        assert not (tmp_path / "own.jsonl").exists()


def weak_and_strict(folder):
    """Two files of the same problem: with a test that many programs pass, and with another one more."""
    record = {"task_id": "t/0", "prompt": "def last(x):\n    \"\"\"The largest number of x.\"\"\"\n", "entry_point": "last",
              "canonical_solution": "    return max(x)\n",
              "test": "def check(candidate):\n    assert candidate([4, 9]) == 9\n"}
    more = {**record, "test": record["test"] + "    assert candidate([9, 4]) == 9\n"}
    other = {**record, "prompt": record["prompt"].replace("largest", "smallest")}
    for name, content in (("weak", record), ("strict", more), ("other", other)):
        (folder / f"{name}.jsonl").write_text(json.dumps(content) + "\n")


def test_a_stored_run_is_judged_by_other_tests_and_nobody_is_asked(ponder, tmp_path):
    weak_and_strict(tmp_path)
    env = {**os.environ, "PONDER_CACHE": str(tmp_path), "PONDER_API_KEY": "sk-secret-1234"}
    with Provider() as provider:
        provider.answer = lambda question: "```python\ndef last(x):\n    return x[-1]\n```"
        done = ponder("eval", "run", "--suite", tmp_path / "weak.jsonl", "--endpoint", provider.url, "--api", "openai",
                      "--model", "m", "-n", 100, "-k", 2, "--out", tmp_path / "run", "--json", env=env)
        if "no sandbox" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == 0, done.stderr
        first = json.loads(done.stdout)
        asked = len(provider.bodies)
    assert first["pass@1"]["value"] == 1.0
    before = (tmp_path / "run/run.sqlite").read_bytes()

    def rescore(out, *flags):
        return ponder("eval", "rescore", tmp_path / "run", "--out", tmp_path / out, *flags, env=env)

    done = rescore("strict", "--suite", tmp_path / "strict.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["pass@1"]["value"] == 0.0 and result["suite"]["name"] == "strict"
    assert result["changed"] == [{"problem": "t/0", "sample": n, "before": "pass", "now": "wrong"} for n in (0, 1)]
    assert result["tokens"] == first["tokens"] and result["seconds"] == first["seconds"]
    assert result["rescored"]["folder"] == str(tmp_path / "run") and result["rescored"]["suite"]["name"] == "weak"
    done = rescore("same")
    assert done.returncode == 0 and "No verdict changed." in done.stdout and "judged again" in done.stdout
    assert (tmp_path / "run/run.sqlite").read_bytes() == before and len(provider.bodies) == asked
    done = ponder("eval", "report", tmp_path / "run", tmp_path / "strict", "--json", env=env)
    assert [run["pass@1"]["value"] for run in json.loads(done.stdout)["runs"]] == [1.0, 0.0]


def test_a_run_is_not_judged_by_other_problems_nor_overwritten(ponder, tmp_path):
    weak_and_strict(tmp_path)
    env = {**os.environ, "PONDER_CACHE": str(tmp_path), "PONDER_API_KEY": "sk-secret-1234"}
    with Provider() as provider:
        done = ponder("eval", "run", "--suite", tmp_path / "weak.jsonl", "--endpoint", provider.url, "--api", "openai",
                      "--model", "m", "-n", 100, "--out", tmp_path / "run", env=env)
    if "no sandbox" in done.stderr:
        pytest.skip(done.stderr)
    refused = ponder("eval", "rescore", tmp_path / "run", "--suite", tmp_path / "other.jsonl", "--out", tmp_path / "new",
                     env=env)
    assert refused.returncode == 1 and "t/0: its prompt is another one" in refused.stderr
    assert not (tmp_path / "new").exists()
    refused = ponder("eval", "rescore", tmp_path / "run", "--out", tmp_path / "run", env=env)
    assert refused.returncode == 1 and "no run is overwritten" in refused.stderr
    refused = ponder("eval", "rescore", tmp_path / "nothing", "--out", tmp_path / "new", env=env)
    assert refused.returncode == 1 and "holds no run" in refused.stderr
