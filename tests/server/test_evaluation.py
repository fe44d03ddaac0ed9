"""`ponder eval` of a model in its own process and through our server: the same answers, the same verdicts."""
import json
import os
import sqlite3

import pytest


@pytest.fixture
def evaluate(ponder, tmp_path):
    """Runs a suite; the answers with their verdicts, by problem and sample, and the score."""
    def run(name, suite, *flags):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        environment["PONDER_CACHE"] = str(tmp_path)
        done = ponder("eval", "run", "--suite", suite, *flags, "--out", tmp_path / name, "--json", env=environment)
        if "no sandbox" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == 0, done.stderr
        with sqlite3.connect(tmp_path / name / "run.sqlite") as database:
            rows = database.execute(
                "SELECT a.problem, a.sample, text, thoughts, ended, output, verdict, extracted FROM answers a JOIN "
                "verdicts v ON a.problem = v.problem AND a.sample = v.sample ORDER BY 1, 2").fetchall()
        return rows, json.loads(done.stdout)["pass@1"]
    return run


def test_samples_of_a_model_that_thinks(own_server, evaluate):
    """With a temperature: each sample has its own seed, which is sent along."""
    protocol = ("--limit", 12, "-k", 3, "-n", 300, "--seed", 5, "--temperature", 1.3, "--top-p", 1)
    here, score = evaluate("here", "modular", "-m", "tiny-r1", *protocol)
    assert len(here) == 36 and len({row[2] for row in here}) > 3 and len({row[3] for row in here}) > 3
    assert len({row[6] for row in here}) > 1, "nothing to be told apart"
    server = own_server("-m", "tiny-r1")
    there, other = evaluate("there", "modular", "--endpoint", server.url, "--api", "openai", "--model", "tiny-r1", *protocol)
    assert there == here and other == score


@pytest.mark.parametrize("api", ["openai", "responses", "anthropic"])
def test_greedy_answers_by_every_protocol(own_server, evaluate, api):
    protocol = ("--limit", 8, "--greedy", "-n", 300)
    here, score = evaluate("here", "arithmetic", "-m", "tiny-r1", *protocol)
    server = own_server("-m", "tiny-r1")
    there, other = evaluate("there", "arithmetic", "--endpoint", server.url, "--api", api, "--model", "tiny-r1", *protocol)
    assert there == here and other == score


def test_programs_of_a_real_model(own_server, evaluate, coder_half_b, humaneval):
    protocol = ("--limit", 8, "--greedy", "-n", 300)
    here, score = evaluate("here", humaneval, "-m", coder_half_b, *protocol)
    server = own_server("-m", f"coder={coder_half_b}", "--ctx", 2048, "--parallel", 3)
    there, other = evaluate("there", humaneval, "--endpoint", server.url, "--model", "coder", *protocol)
    assert there == here and other == score
    assert len({row[6] for row in here}) > 1, "nothing to be told apart"
