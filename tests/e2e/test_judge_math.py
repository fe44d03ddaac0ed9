"""ponder judge math, from outside."""
import json

import pytest


@pytest.mark.parametrize("expected, answer, verdict", [
    (r"\frac{1}{2}", "0.5", "equal"),
    ("(0,1)", "0 < x < 1", "equal"),
    ("1/3", "0.333", "unequal"),
    ("0.5", "0.5%", "undecided"),
    ("5", "(" * 100_000, "undecided"),
    ("-1", "-1", "equal"),
])
def test_verdicts(ponder, expected, answer, verdict):
    result = ponder("judge", "math", f"--expected={expected}", f"--answer={answer}", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {"verdict": verdict}
    plain = ponder("judge", "math", f"--expected={expected}", f"--answer={answer}")
    assert plain.stdout == verdict + "\n"


def test_whole_texts(ponder):
    text = "<think>perhaps \\boxed{41}</think>It is \\[ \\boxed{42} \\]."
    arguments = ("judge", "math", "--expected", "42", "--extract", "--answer", "-", "--json")
    assert json.loads(ponder(*arguments, input=text).stdout) == {"verdict": "equal", "extracted": "42"}
    cut = json.loads(ponder(*arguments, input="<think>perhaps \\boxed{42}").stdout)
    assert cut == {"verdict": "no_answer", "extracted": ""}


def test_units_and_errors(ponder):
    assert ponder("judge", "math", "--expected", "5 cm", "--answer", "5").stdout == "equal\n"
    assert ponder("judge", "math", "--expected", "5 cm", "--answer", "5", "--strict-units").stdout == "unequal\n"
    missing = ponder("judge", "math", "--expected", "5")
    assert missing.returncode == 2 and "--answer" in missing.stderr
