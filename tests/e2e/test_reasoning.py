"""How thoughts are shown, with a tiny random model behind the tokens of DeepSeek-R1.

The model says anything; at a high temperature it also closes its thoughts now and then.
"""
import json
import re

import pexpect
import pytest

from tiny_r1 import make_tiny_r1


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny_r1(tmp_path_factory.mktemp("tiny-r1"))


FLAGS = ["--template", "deepseek-r1", "-n", "700", "--temperature", "10"]


@pytest.fixture(scope="module")
def thinks_then_answers(ponder, tiny):
    """The seed of an answer with one stretch of thoughts and then content, and that answer."""
    for seed in range(40):
        done = ponder("run", "-m", tiny, *FLAGS, "--seed", seed, "--json", "Hi")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        if answer["reasoning"] and answer["text"].strip() and 4 not in answer["tokens"]:  # <think>
            return seed, answer
    pytest.fail("no seed gives one stretch of thoughts and an answer")


def test_thoughts_and_answer_are_apart_in_json(thinks_then_answers):
    _, answer = thinks_then_answers
    assert answer["stats"]["thinking_seconds"] > 0
    assert answer["reasoning"].strip() == answer["reasoning"]
    assert 5 in answer["tokens"]  # </think>
    assert "</think>" not in answer["text"] + answer["reasoning"]


def test_without_a_terminal_thoughts_stand_between_tags(ponder, tiny, thinks_then_answers):
    seed, answer = thinks_then_answers
    done = ponder("run", "-m", tiny, *FLAGS, "--seed", seed, "Hi", text=False)
    text = f"<think>\n{answer['reasoning']}\n</think>\n\n{answer['text']}"
    assert done.stdout.decode() == text + ("" if text.endswith("\n") else "\n")


def test_thoughts_can_be_hidden(ponder, tiny, thinks_then_answers):
    seed, answer = thinks_then_answers
    done = ponder("run", "-m", tiny, *FLAGS, "--seed", seed, "--hide-thinking", "Hi", text=False)
    assert done.stdout.decode().rstrip("\n") == answer["text"].rstrip("\n")


def screen(ponder_bin, arguments, **environment):
    child = pexpect.spawn(str(ponder_bin), [str(a) for a in arguments], dimensions=(50, 100),
                          env={"TERM": "xterm", "PATH": "/usr/bin", **environment}, timeout=60)
    out = child.read().decode(errors="replace")
    child.close()
    assert child.exitstatus == 0
    return out


def test_on_a_terminal_thoughts_are_dim_and_end_with_their_time(ponder_bin, tiny, thinks_then_answers):
    arguments = ["run", "-m", tiny, *FLAGS, "--seed", thinks_then_answers[0], "Hi"]
    out = screen(ponder_bin, arguments)
    assert out.startswith("\x1b[2m")
    match = re.search(r"\r\n\x1b\[2m\(thought for \d+\.\d s\)\x1b\[0m\r\n\r\n", out)
    assert match, out
    assert "\x1b" not in out[match.end():]  # what the model says cannot drive the terminal
    assert out.count("\x1b[2m") == out.count("\x1b[0m")
    plain = screen(ponder_bin, arguments, NO_COLOR="1")
    assert "\x1b[2m" not in plain and "(thought for" in plain


def test_a_raw_prompt_may_open_the_thoughts(ponder, tiny):
    flags = ["-n", 20, "--raw", "--greedy", "--json"]
    inside = json.loads(ponder("run", "-m", tiny, *flags, "Hi<think>").stdout)
    outside = json.loads(ponder("run", "-m", tiny, *flags, "Hi<think></think>").stdout)
    assert inside["reasoning"] and not outside["reasoning"]


def test_thinking_can_be_switched_off(ponder, tiny):
    flags = ["--template", "deepseek-r1", "-n", 20, "--greedy", "--json", "Hi"]
    thinking = json.loads(ponder("run", "-m", tiny, *flags).stdout)
    at_once = json.loads(ponder("run", "-m", tiny, "--no-thinking", *flags).stdout)
    assert thinking["reasoning"] and not at_once["reasoning"] and at_once["text"]


def test_reasoning_models_get_their_own_sampling(ponder, tiny):
    done = ponder("run", "-m", tiny, "--template", "deepseek-r1", "-n", 1, "--json", "Hi")
    sampling = json.loads(done.stdout)["sampling"]
    assert (sampling["temperature"], sampling["top_p"], sampling["top_k"]) == (0.6, 0.95, 0)


def test_a_model_without_a_template_is_told(ponder, tiny):
    done = ponder("run", "-m", tiny, "Hi")
    assert done.returncode == 1 and "--template" in done.stderr and "deepseek-r1" in done.stderr
