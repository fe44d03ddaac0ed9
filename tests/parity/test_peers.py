"""The scripts of bench/ without measuring: which of the peer's settings counts, ratios, rounds, pages."""
import copy
import html.parser
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import machine  # noqa: E402
import peers  # noqa: E402
import peers_figures  # noqa: E402
import peers_report  # noqa: E402
import quality  # noqa: E402

RECORDED = Path(__file__).with_name("peers_results.json")


@pytest.fixture
def results():
    return json.loads(RECORDED.read_text())


def test_the_best_settings_are_by_the_median():
    ways = {"off": [10.0, 10.0, 90.0], "on": [11.0, 12.0, 13.0]}
    assert peers_figures.best_way(ways, True)[0] == "on"
    assert peers_figures.best_way(ways, False)[0] == "off"
    assert peers_figures.best_way({"off": [1.0], "on": [1.0]}, True)[0] == "off"


@pytest.mark.parametrize("kind,ponder,peer,ratio", [
    ("speed", 30.0, 20.0, 1.5), ("load", 1.0, 2.0, 2.0), ("memory", 100.0, 150.0, 1.5),
    ("perplexity", 10.1, 10.0, 1.01)])
def test_a_ratio_above_one_means_better(kind, ponder, peer, ratio):
    item = peers_figures.row({"kind": kind, "label": "x", "ponder": [ponder], "peer": {"a": [peer]}})
    assert item.ratio == pytest.approx(ratio)
    assert peers_report.verdict(item) == ("bad" if kind == "perplexity" else "good")


def test_memory_is_through_its_scale():
    item = peers_figures.row({"kind": "memory", "label": "x", "ponder": [110.0, 130.0, 120.0],
                              "peer": {"a": [150.0]}, "scale": 100})
    assert (item.ponder.median, item.ponder.low, item.ponder.high) == pytest.approx((1.2, 1.1, 1.3))
    assert item.peer.median == pytest.approx(1.5)


def test_settings_are_dropped_only_if_slow_in_every_test():
    def speed(**ways):
        return {"kind": "speed", "peer": {way: [value] for way, value in ways.items()}}
    first, second = speed(a=100, b=80, c=99, d=50), speed(a=100, b=95, c=50, d=84)
    assert peers_figures.slow_ways([first, second], 0.15) == {"d"}
    load = {"kind": "load", "peer": {"a": [1.0], "d": [1.0]}}
    assert peers_figures.slow_ways([load], 0.15) == set()


def test_markdown_has_every_test_with_its_spread(results):
    text = peers_report.markdown(results)
    table = [line for line in text.splitlines() if line.startswith("| ")]
    tests = [test for model in results["models"] for test in model["tests"]]
    assert len(table) == len(tests) + len(results["models"])  # and the headings
    assert "| decode, batch 4 | tokens/s | 200 (190–210) | 100 (90.0–110) | flash on, unified cache | 2.00 |" in text
    assert "| load, file in memory | seconds | 0.50 (0.40–0.60) | 0.40 (0.30–0.50) | flash off | 0.80 |" in text


class Checker(html.parser.HTMLParser):
    """Every tag is closed in order."""
    EMPTY = {"meta"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_whole_and_needs_nothing_else(results):
    results["notes"].append("<script>alert(1)</script>")
    page = peers_report.page(results)
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert "<script" not in page and "http" not in page and "url(" not in page
    widths = [float(width) for width in re.findall(r'class="bar \w+" style="width:([\d.]+)%"', page)]
    assert len(widths) == 2 * sum(len(model["tests"]) for model in results["models"])
    assert all(0 < width <= 100 for width in widths)


def test_pages_without_any_model(results):
    results["models"], results["notes"] = [], ["a is left out: no disk."]
    assert "a is left out" in peers_report.page(results)
    assert "a is left out" in peers_report.markdown(results)


def test_pages_are_written_beside_the_results(results, tmp_path):
    before = copy.deepcopy(results)
    peers_report.write(results, tmp_path / "new")
    assert json.loads((tmp_path / "new/results.json").read_text()) == before
    assert (tmp_path / "new/report.md").read_text() == peers_report.markdown(results)
    assert (tmp_path / "new/report.html").read_text() == peers_report.page(results)


def test_warnings_name_what_disturbed_the_run(results):
    quiet = {"load_average": 0.1, "foreign": 0.01, "stolen": 0.0}
    assert machine.warnings(quiet) == []
    loud = machine.warnings({"load_average": 1.5, "foreign": 0.2, "stolen": 0.3})
    assert [number in text for number, text in zip(("1.50", "20%", "30%"), loud)] == [True] * 3


def test_cpu_info_keeps_the_flags_that_matter():
    text = "processor : 0\nmodel name : Some CPU\nflags : fpu avx2 fma amx_tile amx_int8\nprocessor : 1\nmodel name : b\n"
    assert machine.cpu_info(text) == ("Some CPU", ["avx2", "fma", "amx_int8"])


def test_what_a_start_must_measure():
    start = peers.Start(512, 128, (1, 4), 0)
    assert start.keys() == [("pp512", 1, 0), ("tg128", 1, 0), ("tg128", 4, 0)]
    assert start.cached() == 512
    assert list(start.ways()) == ["flash off, split cache", "flash off, unified cache",
                                  "flash on, split cache", "flash on, unified cache"]
    assert list(peers.Start(0, 128, depth=8192).ways()) == ["flash off", "flash on"]
    assert peers.Start(0, 128, depth=8192).cached() == 8320


def test_answers_of_all_processes_become_tests():
    start = peers.Start(0, 128, (4,))
    gathered = peers.Gathered(start)
    for number, answers in enumerate(gathered.answers.values(), 1):
        answers.append({"speeds": {("tg128", 4, 0): float(number)}, "load_seconds": 0.5, "peak_bytes": 1000})
    speed, = gathered.speeds()
    assert (speed["label"], speed["ponder"]) == ("decode, batch 4", [1.0])
    assert list(speed["peer"].values()) == [[2.0], [3.0], [4.0], [5.0]]
    assert gathered.memory(488, 1)["scale"] == 1000
    assert gathered.load()["ponder"] == [0.5]


@pytest.mark.parametrize("arguments,words", [
    (["--models", "nothing"], "no file"), (["--isa", "neon"], "not one of native, avx2"),
    (["--ponder", "/nowhere"], "make build"), (["--rounds", "0"], "at least 1")])
def test_a_wrong_command_line_is_explained(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        peers.parse(["--ponder", __file__, *arguments])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


class FakePair:
    """Flash attention is half as fast; the order of the calls is kept."""

    def __init__(self, rounds):
        self.options, self.calls = peers.argparse.Namespace(rounds=rounds), []

    def speed(self, way, start):
        self.calls.append(way)
        value = 50.0 if way == "flash on" else 100.0
        return {"speeds": {key: value for key in start.keys()}, "load_seconds": 1.0, "peak_bytes": 1}


def test_rounds_alternate_and_drop_what_is_far_behind():
    pair = FakePair(rounds=3)
    gathered = peers.measure(pair, peers.Start(512, 128), lambda text: None)
    assert pair.calls == [None, "flash off", "flash on", "flash off", None, None, "flash off"]
    assert {way: len(answers) for way, answers in gathered.answers.items()} == {
        None: 3, "flash off": 3, "flash on": 1}
    assert peers_figures.row(gathered.speeds()[0]).way == "flash off"


def test_long_contexts_have_fewer_rounds():
    pair = FakePair(rounds=9)
    peers.measure(pair, peers.Start(0, 128, depth=8192), lambda text: None)
    assert pair.calls.count(None) == peers.DEEP_ROUNDS


def test_a_missing_peer_is_explained(monkeypatch):
    monkeypatch.setenv("PONDER_PEER_PYTHON", "/nowhere/python")
    with pytest.raises(peers.peers_build.BuildFailed, match="PONDER_PEER_PYTHON=/nowhere/python is no Python"):
        peers.peers_build.peer_python("native")


def test_a_failing_command_is_told_with_its_words():
    with pytest.raises(peers.Failed, match="status 3: bad luck"):
        peers.answer([sys.executable, "-c", "import sys; print('bad luck', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(peers.Failed, match="no JSON"):
        peers.answer([sys.executable, "-c", "print('hello')"])


def test_the_synthetic_model_is_left_out_without_synth(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    with pytest.raises(peers.Skipped, match="no command `synth`"):
        peers.synthetic(peers.argparse.Namespace(ponder="/bin/false"))
    monkeypatch.setattr(peers, "SYNTHETIC_BYTES", 1e18)
    with pytest.raises(peers.Skipped, match="disk are free"):
        peers.synthetic(peers.argparse.Namespace(ponder="/bin/true"))


def test_the_table_of_quality_judges_each_format():
    row = {"type": "q4_k", "share": 0.5, "tokens": 2044, "int8": 10.06, "float": 10.0}
    bad, good = row | {"ratio": 1.006}, row | {"ratio": 0.996}
    lines = quality.table([bad, good], "model").splitlines()
    assert lines[-2].endswith("| 1.00600 | NO |") and lines[-1].endswith("| 0.99600 | yes |")
