"""`ponder eval` against a provider of the test's own: three protocols, faults, money, kill and resume."""
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import ROOT
from fake_provider import Provider

PRICES = """
[[price]]
model = "m"
date = "2025-02-01"
input = 1000.0
cached_input = 100.0
output = 2000.0
source = "the test"
"""


class Eval:
    """Runs the program on problems of the suite "arithmetic"; its folder of the run is `out`."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.out = str(binary), folder, folder / "run"
        (folder / "prices.toml").write_text(PRICES)

    def command(self, provider, *flags, api="openai", limit=6):
        return [self.binary, "eval", "run", "--suite", "arithmetic", "--limit", str(limit), "--endpoint",
                provider.url, "--api", api, "--model", "m", "--out", str(self.out), "--retry-wait", "0.01",
                "-n", "200", "--json", *map(str, flags)]

    def environment(self, key):
        env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        return {**env, "PONDER_CACHE": str(self.folder / "cache"), **({"PONDER_API_KEY": key} if key else {})}

    def start(self, provider, *flags, key="sk-secret-1234", **options):
        return subprocess.Popen(self.command(provider, *flags, **options), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment(key))

    def run(self, provider, *flags, **options):
        process = self.start(provider, *flags, **options)
        out, errors = process.communicate(timeout=120)
        return process.returncode, json.loads(out) if out else None, errors

    def rows(self, query):
        with sqlite3.connect(self.out / "run.sqlite") as database:
            return database.execute(query).fetchall()


@pytest.fixture
def evaluation(ponder_bin, tmp_path):
    return Eval(ponder_bin, tmp_path)


@pytest.mark.parametrize("api", ["openai", "responses", "anthropic"])
def test_protocols(evaluation, api):
    with Provider() as provider:
        status, result, errors = evaluation.run(provider, "-k", 2, api=api)
    assert status == 0, errors
    assert result["pass@1"]["value"] == 1.0 and result["pass@2"]["value"] == 1.0
    assert result["counts"]["answered"] == 12 and not result["counts"]["doubtful_usage"]
    assert result["tokens"]["input"] == 12 * 30 and result["tokens"]["cached"] == 12 * 10
    assert all(count == 1 for count in provider.finished.values()) and len(provider.finished) == 12
    assert {row[0] for row in evaluation.rows("SELECT thoughts FROM answers")} == {"Let me see. "}
    assert {row[0] for row in evaluation.rows("SELECT served FROM answers")} == {"m-0501"}
    body = provider.bodies[0]
    assert body["temperature"] == 0.6 and body["top_p"] == 0.95 and body["stream"] is True


def test_faults_are_tried_again(evaluation):
    kinds = [[429, 503], ["cut"], ["silent", "error"], [], ["cut", 500, "cut"], [529]]
    with Provider() as provider:
        provider.faults = lambda number: kinds[number]
        status, result, errors = evaluation.run(provider)
        assert status == 0, errors
        assert sorted(provider.attempts.values()) == sorted(len(kind) + 1 for kind in kinds)
        assert all(count == 1 for count in provider.finished.values())
    assert result["pass@1"]["value"] == 1.0
    assert result["tokens"]["lost"] > 0
    assert any("attempts that were cut" in warning for warning in result["warnings"])


def test_wishes_to_wait_are_heard(evaluation):
    with Provider() as provider:
        provider.retry_after, provider.faults = 2, lambda number: [429]
        start = time.monotonic()
        assert evaluation.run(provider, limit=1)[0] == 0
        assert time.monotonic() - start > 1.9


def test_what_fails_for_good_is_missing_and_no_zero(evaluation):
    with Provider() as provider:
        provider.faults = lambda number: [500] * 99 if number == 2 else []
        status, result, errors = evaluation.run(provider, "--attempts", 2)
        assert status == 1 and "missing" in errors
        assert result["pass@1"]["value"] is None and "1 answer is missing" in result["pass@1"]["withheld"]
        assert result["counts"]["answered"] == 5
        provider.faults = lambda number: []
        status, result, _ = evaluation.run(provider, "--attempts", 2, "--resume")
        assert status == 0 and result["pass@1"]["value"] == 1.0
        assert all(count == 1 for count in provider.finished.values())


def test_a_wrong_key_ends_the_run_and_is_not_shown(evaluation):
    with Provider() as provider:
        status, _, errors = evaluation.run(provider, key="sk-wrong-98765", limit=40)
        assert status == 1 and "status 401" in errors
        assert "98765" not in errors and "[key]" in errors
        assert len(provider.attempts) == 0
    assert b"98765" not in (evaluation.out / "run.sqlite").read_bytes()


def test_no_key_is_stored(evaluation):
    with Provider() as provider:
        provider.answer = lambda question: f"Your key is {provider.key}. \\boxed{{1}}"
        assert evaluation.run(provider)[0] == 0
    assert provider.key.encode() not in (evaluation.out / "run.sqlite").read_bytes()


def test_fields_that_a_server_refuses_are_left_out(evaluation):
    with Provider() as provider:
        provider.refuses = {"max_tokens", "temperature", "top_p", "seed"}
        status, result, errors = evaluation.run(provider)
        assert status == 0, errors
        assert provider.bodies[-1]["max_completion_tokens"] == 200
        assert set(result["model"]["fields_refused"]) == provider.refuses


def test_fields_can_be_laid_over(evaluation):
    with Provider() as provider:
        assert evaluation.run(provider, "--body", '{"reasoning_effort": "high", "top_p": null}')[0] == 0
        assert provider.bodies[0]["reasoning_effort"] == "high" and "top_p" not in provider.bodies[0]


@pytest.mark.parametrize("told, words", [
    (lambda u: {**u, "output": 5000}, "tokens of the answer"),
    (lambda u: {**u, "cached": 40}, "more tokens cached"),
    (lambda u: {**u, "reasoning": 900}, "more tokens of thoughts"),
    (lambda u: None, "no usage was told"),
])
def test_wrong_usage_is_noticed(evaluation, told, words):
    with Provider() as provider:
        provider.usage = told
        status, result, errors = evaluation.run(provider)
    assert status == 0, errors
    assert result["counts"]["doubtful_usage"] == 6
    assert all(words in row[0] for row in evaluation.rows("SELECT doubts FROM answers"))
    assert result["tokens"]["output"] > 0


def test_money(evaluation):
    with Provider() as provider:
        status, result, errors = evaluation.run(provider, "--prices", evaluation.folder / "prices.toml")
    assert status == 0, errors
    output = result["tokens"]["output"]
    expected = (6 * 20 * 1000 + 6 * 10 * 100 + output * 2000) / 1e6
    assert result["dollars"] == pytest.approx(expected)
    assert result["dollars_per_solved"]["value"] == pytest.approx(expected / 6)
    low, high = result["dollars_per_task"]["problems"]
    assert low <= expected / 6 + 1e-9 and expected / 6 <= high + 1e-9


def test_the_budget_is_kept(evaluation):
    prices = evaluation.folder / "prices.toml"
    with Provider() as provider:
        status, result, errors = evaluation.run(provider, "--prices", prices, "--budget", 1.5, limit=20)
        assert status == 1 and "budget" in errors
        assert 0 < result["dollars"] <= 1.5 and result["counts"]["missing"] > 0
        asked = len(provider.attempts)
        status, result, _ = evaluation.run(provider, "--prices", prices, "--budget", 5, "--resume", limit=20)
        assert status == 0 and len(provider.attempts) == 20 > asked
    status, _, errors = evaluation.run(provider, "--budget", 1, "--resume", limit=20)
    assert status == 1 and "--prices" in errors


def test_concurrency_and_rate(evaluation):
    with Provider() as provider:
        assert evaluation.run(provider, "--concurrency", 2, limit=12)[0] == 0
        assert provider.most_running <= 2
        start = time.monotonic()
        assert evaluation.run(provider, "--rpm", 600, "--resume", "-k", 2, limit=12)[0] == 0
        assert time.monotonic() - start > 1.0  # twelve starts, a tenth of a second apart


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_killed_and_resumed_nothing_is_lost_or_paid_twice(evaluation):
    with Provider() as provider:
        for already in (5, 11, 17):
            provider.hold = threading.Event()  # later answers get stuck in the middle
            provider.free = already - len(provider.finished)
            process = evaluation.start(provider, "--resume", "--concurrency", 3, limit=24)
            wait_for(lambda: provider.waiting == 3)
            whole = dict(provider.finished)
            assert len(whole) == already
            wait_for(lambda: len(evaluation.rows("SELECT 1 FROM answers")) == len(whole))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            provider.hold.set()
            wait_for(lambda: provider.running == 0)
            with provider.lock:  # what was cut was not received: it may be given again
                provider.finished = whole
        provider.hold = None
        status, result, errors = evaluation.run(provider, "--resume", "--concurrency", 3, limit=24)
        assert status == 0, errors
        assert result["counts"]["answered"] == 24 and result["pass@1"]["value"] is not None
        assert len(provider.finished) == 24 and set(provider.finished.values()) == {1}
        again = len(provider.bodies)
        assert evaluation.run(provider, "--resume", limit=24)[0] == 0
        assert len(provider.bodies) == again


def test_ctrl_c_waits_for_what_is_being_paid(evaluation):
    with Provider() as provider:
        provider.hold = threading.Event()
        process = evaluation.start(provider, "--concurrency", 2, limit=20)
        wait_for(lambda: provider.waiting == 2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        provider.hold.set()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130 and "--resume" in errors
        assert len(evaluation.rows("SELECT 1 FROM answers")) == len(provider.finished) == 2
        assert not evaluation.rows("SELECT 1 FROM asked")


def test_ctrl_c_twice_gives_up(evaluation):
    with Provider() as provider:
        provider.hold = threading.Event()
        process = evaluation.start(provider, limit=20)
        wait_for(lambda: provider.waiting > 0)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert not evaluation.rows("SELECT 1 FROM answers")


def test_one_run_a_folder(evaluation):
    with Provider() as provider:
        assert evaluation.run(provider)[0] == 0
        status, _, errors = evaluation.run(provider)
        assert status == 1 and "--resume" in errors
        status, _, errors = evaluation.run(provider, "--resume", "--temperature", 0.9)
        assert status == 1 and "temperature" in errors
        status, _, errors = evaluation.run(provider, "--resume", limit=7)
        assert status == 1 and "another suite" in errors


def test_more_samples_than_there_are_cannot_be_told(evaluation):
    with Provider() as provider:
        assert evaluation.run(provider, "-k", 2)[0] == 0
        status, result, _ = evaluation.run(provider, "-k", 4, "--resume")
    assert status == 0 and result["counts"]["answered"] == 24 and "pass@4" in result
    assert "pass@8" not in result


def test_report(evaluation, ponder):
    with Provider() as provider:
        provider.answer = lambda question: "<script>document.title='hacked'</script> \\boxed{7}"
        assert evaluation.run(provider, "-k", 2, limit=16)[0] == 0
    page = evaluation.folder / "report.html"
    done = ponder("eval", "report", evaluation.out, "-o", page, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert 0 <= report["runs"][0]["pass@1"]["value"] < 1 and set(report["runs"][0]["levels"]) == set("01234567")
    text = page.read_text()
    assert '<li class="c0"><b>1</b> m</li>' in text
    assert "<script" not in text and "&lt;script&gt;" in text
    done = ponder("eval", "report", evaluation.out)
    assert "| arithmetic | m |" in done.stdout
    done = ponder("eval", "report", evaluation.folder)
    assert done.returncode == 1 and "holds no run" in done.stderr


def test_a_report_of_several_suites_keeps_them_apart(evaluation, ponder):
    outs = []
    with Provider() as provider:
        provider.answer = lambda question: "\\boxed{7}"
        for number, suite in enumerate(["arithmetic", "arithmetic", "chain"]):
            evaluation.out = evaluation.folder / f"run{number}"
            outs.append(evaluation.out)
            command = [suite if word == "arithmetic" else word for word in evaluation.command(provider)]
            assert subprocess.run(command, env=evaluation.environment("sk-secret-1234"), capture_output=True).returncode == 0
    done = ponder("eval", "report", *outs, "-o", evaluation.folder / "report.html")
    assert done.stdout.count("- arithmetic: m less m: 0.0 points") == 1 and "p = 1.000" in done.stdout
    page = (evaluation.folder / "report.html").read_text()
    assert '<td data-name="suite">arithmetic</td><td data-name="pass@1 of">m less m</td>' in page
    first, second = page.split('<h2 id="problems">')[1].split("<h3>chain</h3>", 1)
    assert "<h3>arithmetic</h3>" in first
    assert [part.split("</tr>")[0].count("<b>") for part in (first, second)] == [2, 1]


def test_suites(ponder, tmp_path):
    env = {**os.environ, "PONDER_CACHE": str(tmp_path)}
    done = ponder("eval", "list", "--json", env=env)
    names = [suite["name"] for suite in json.loads(done.stdout)]
    assert {"arithmetic", "chain", "countdown", "modular"} <= set(names)
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "What is 1+1?", "answer": "#### 2"}\n')
    assert ponder("eval", "add", "mine", file, env=env).returncode == 0
    file.unlink()
    shown = json.loads(ponder("eval", "show", "mine", "--json", env=env).stdout)
    assert shown["format"] == "maths" and "What is 1+1?" in shown["problem"]["question"]
    done = ponder("eval", "show", "nothing", env=env)
    assert done.returncode == 1 and "eval list" in done.stderr


def test_contamination_is_told(evaluation, ponder, tmp_path):
    asked = json.loads(ponder("eval", "show", "arithmetic", "--problem", "arithmetic/7", "--json").stdout)
    story = asked["problem"]["question"].split("\n")[0]
    training = tmp_path / "training.jsonl"
    training.write_text(json.dumps({"text": "before " + story + " after"}) + "\n")
    with Provider() as provider:
        status, result, errors = evaluation.run(provider, "--training", training, limit=16)
    assert status == 0, errors
    assert result["contaminated"] == 1
    assert [p["id"] for p in result["problems"] if p["contaminated"]] == ["arithmetic/7"]
    assert result["pass@1_without_contaminated"]["value"] > result["pass@1"]["value"]


def test_a_model_here(ponder, tmp_path, coder_half_b):
    out = tmp_path / "run"
    flags = ["eval", "run", "--suite", "arithmetic", "--limit", 4, "-m", coder_half_b, "--greedy", "-n", 64,
             "--out", out, "--machine-price", 0.36, "--json"]
    done = ponder(*flags)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["counts"]["answered"] == 4 and result["verdicts"].get("pass", 0) >= 1
    assert result["dollars"] == pytest.approx(result["seconds"] * 0.0001)
    assert ponder(*flags, "--resume").returncode == 0


def test_rows_of_a_comparison_are_filled_by_one_command(evaluation, ponder_bin, tmp_path):
    with Provider() as provider:
        rows = [{"title": "ours", "endpoint": provider.url, "api": "openai", "model": "m", "key": "GIVEN_API_KEY"},
                {"title": "theirs", "endpoint": provider.url, "api": "openai", "model": "n", "key": "OTHER_API_KEY"}]
        table = tmp_path / "table.toml"
        table.write_text("".join("[[row]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in row.items())
                                 for row in rows))
        suite = tmp_path / "s.jsonl"
        suite.write_text('{"id": "a/1", "question": "What is 1+1?", "answer": "2"}\n')
        environment = {**evaluation.environment(None), "GIVEN_API_KEY": provider.key, "PONDER_BIN": str(ponder_bin)}
        done = subprocess.run(
            [ROOT / "bench/compare_models.py", "--table", table, "--prices", evaluation.folder / "prices.toml",
             "--suite", suite, "--budget", "40", "--max-tokens", "500", "--runs", tmp_path / "runs"],
            capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "theirs: left out, OTHER_API_KEY is not set" in done.stderr
    assert "| s | m | 100.0 (" in done.stdout and (tmp_path / "runs/report.html").is_file()
