"""The model that is part of the program: answers without a file or a download."""
import json

import pytest

PROBLEMS = {"(3+4)*(2-9)": 1, "7*8": 6, "(0+(5-8))*3": 1, "((9-4)*7)+8": 3, "2-(6*(3+4))": 0}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_it_thinks_and_answers(ponder, problem):
    result = ponder("run", problem, "--greedy", "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert "=" in answer["reasoning"]
    assert answer["text"].strip() == str(PROBLEMS[problem])


def test_it_says_what_it_is(ponder):
    result = ponder("run", "1+1")
    assert "built-in" in result.stderr and "ponder pull" in result.stderr


def test_it_has_a_name(ponder):
    info = json.loads(ponder("info", "-m", "tiny-r1", "--json").stdout)["model"]
    assert info["architecture"] == "deepseek_v3"
