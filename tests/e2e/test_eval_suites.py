"""The suites that are part of the program: every solution passes in the sandbox, and no wrong program does."""
import json
import subprocess

import pytest

from conftest import ROOT


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
    assert result["checked"] == result["wrong_checked"] >= 60


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
