"""ponder data from outside: bad input, kills, shards and ranks, planted duplicates."""
import gzip
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["alpha", "beta", "gamma", "delta", "river", "stone", "cloud", "paper", "green", "seven", "quick", "north"]


def sentence(random_, words):
    return " ".join(random_.choice(WORDS) + str(random_.randrange(1000)) for _ in range(words))


def write_lines(path, documents):
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def parts(folder):
    """The bytes of all parts, one after the other."""
    return b"".join(part.read_bytes() for part in sorted(folder.glob("part-*")))


def counts(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


KEEP_ALL = ["--keep-if", "chars >= 0"]


@pytest.fixture
def data(ponder):
    return lambda *arguments, **options: ponder("data", *arguments, **options)


class TestBadInput:
    def test_each_record_is_somewhere(self, data, tmp_path):
        good = json.dumps({"id": 1, "text": "hello"}).encode()
        lines = [good, b"{broken", b'{"text": "\xff\xfe"}', b'{"id": 3}', b'{"text": 5}', b"[1]", b"", b"  ",
                 b'{"text": "' + b"x" * 300_000 + b'"}', json.dumps({"text": "no id"}).encode()]
        source = tmp_path / "in.jsonl"
        source.write_bytes(b"\n".join(lines))
        got = counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--max-record", "200000", "--json"))
        assert (got["in"], got["kept"], got["removed"], got["quarantined"]) == (8, 2, 0, 6)
        quarantine = read_lines(tmp_path / "out/quarantine.jsonl")
        assert [entry["offset"] for entry in quarantine] == [
            sum(len(line) + 1 for line in lines[:i]) for i in (1, 2, 3, 4, 5, 8)]
        assert all(entry["file"] == str(source) for entry in quarantine)
        assert "UTF-8" in quarantine[1]["reason"] and "longer" in quarantine[5]["reason"]
        assert parts(tmp_path / "out") == good + b"\n" + lines[-1] + b"\n"

    @pytest.mark.parametrize("suffix", ["gz", "zst"])
    def test_truncated_files(self, data, tmp_path, suffix):
        documents = [{"id": i, "text": sentence(random.Random(i), 40)} for i in range(3000)]
        plain = write_lines(tmp_path / "all.jsonl", documents)
        counts(data("filter", plain, "-o", tmp_path / "packed", *KEEP_ALL, "--compress", suffix, "--json"))
        packed = (tmp_path / f"packed/part-00000.jsonl.{suffix}").read_bytes()
        if suffix == "gz":
            assert gzip.decompress(packed) == plain.read_bytes()
        whole = tmp_path / f"whole.jsonl.{suffix}"
        whole.write_bytes(packed)
        assert counts(data("filter", whole, "-o", tmp_path / "again", *KEEP_ALL, "--json"))["in"] == 3000
        assert parts(tmp_path / "again") == plain.read_bytes()
        cut = tmp_path / f"cut.jsonl.{suffix}"
        cut.write_bytes(packed[: len(packed) // 2])
        got = counts(data("filter", cut, "-o", tmp_path / "out", *KEEP_ALL, "--json"))
        assert got["in"] == got["kept"] + got["quarantined"] and got["quarantined"] == 1
        assert "truncated" in read_lines(tmp_path / "out/quarantine.jsonl")[0]["reason"]
        assert plain.read_bytes().startswith(parts(tmp_path / "out"))

    def test_stop_at_bad(self, data, tmp_path):
        source = tmp_path / "in.jsonl"
        source.write_text('{"text": "a"}\n{bad\n')
        result = data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--stop-at-bad")
        assert result.returncode == 1 and "offset 14" in result.stderr

    def test_full_disk(self, data, tmp_path):
        source = write_lines(tmp_path / "in.jsonl",
                             [{"id": i, "text": sentence(random.Random(i), 200)} for i in range(4000)])
        arguments = ["filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--checkpoint", "1M", "--json"]

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

        result = data(*arguments, preexec_fn=limit)
        assert result.returncode == 1 and "goes on where it was" in result.stderr
        assert not list((tmp_path / "out").glob("part-*"))
        counts(data(*arguments))
        assert parts(tmp_path / "out") == source.read_bytes()


class TestInputs:
    def test_formats_and_fields(self, data, tmp_path):
        (tmp_path / "a.txt").write_text("one\ntwo\n")
        (tmp_path / "b.jsonl").write_text('{"body": {"raw": "three \\u00e9"}, "key": 7}\n')
        assert counts(data("filter", tmp_path / "a.txt", "-o", tmp_path / "1", *KEEP_ALL, "--json"))["in"] == 1
        assert read_lines(tmp_path / "1/part-00000.jsonl") == [{"id": "a.txt:0", "text": "one\ntwo\n"}]
        assert counts(data("filter", tmp_path / "a.txt", "-o", tmp_path / "2", *KEEP_ALL, "--format", "lines",
                           "--json"))["in"] == 2
        counts(data("filter", tmp_path / "*.jsonl", "-o", tmp_path / "3", "--text-field", "body.raw", "--id-field",
                    "key", "--keep-if", "id == '7' && contains(text, 'é')", "--json"))
        assert read_lines(tmp_path / "3/part-00000.jsonl")[0]["key"] == 7

    def test_through_pipes(self, data):
        lines = "".join(json.dumps({"id": i, "text": "x" * i}) + "\n" for i in range(1, 6))
        result = data("filter", "-", "-o", "-", "--keep-if", "chars > 3", input=lines)
        assert result.returncode == 0
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [4, 5]

    def test_other_settings_need_another_folder(self, data, tmp_path):
        source = write_lines(tmp_path / "in.jsonl", [{"id": 1, "text": "a b"}])
        counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--json"))
        assert counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--json"))["kept"] == 1
        result = data("filter", source, "-o", tmp_path / "out", "--keep-if", "chars > 3")
        assert result.returncode == 1 and "empty folder" in result.stderr

    def test_changed_text_keeps_the_other_fields(self, data, tmp_path):
        source = tmp_path / "in.jsonl"
        source.write_text('{"id":1, "meta": {"text": "x"}, "text": "mail a@b.org", "n": [1, 2]}\n')
        got = counts(data("filter", source, "-o", tmp_path / "out", "--preset", "pii", "--json"))
        assert got["changed"] == 1
        assert (tmp_path / "out/part-00000.jsonl").read_text() == (
            '{"id":1, "meta": {"text": "x"}, "text": "mail <EMAIL>", "n": [1, 2]}\n')

    def test_changed_text_under_a_name_with_escapes(self, data, tmp_path):
        source = tmp_path / "in.jsonl"
        source.write_text('{"\\u0069d": 1, "a": {"te\\u0078t": "mail a@b.org"}}\n')
        counts(data("filter", source, "-o", tmp_path / "out", "--preset", "pii", "--text-field", "a.text", "--json"))
        assert (tmp_path / "out/part-00000.jsonl").read_text() == (
            '{"\\u0069d": 1, "a": {"te\\u0078t": "mail <EMAIL>"}}\n')

    def test_changed_plain_text_under_a_dotted_name(self, data, tmp_path):
        (tmp_path / "in.txt").write_text("mail a@b.org")
        counts(data("filter", tmp_path / "in.txt", "-o", tmp_path / "out", "--preset", "pii", "--text-field", "a.b",
                    "--json"))
        assert read_lines(tmp_path / "out/part-00000.jsonl") == [{"id": "in.txt:0", "a.b": "mail <EMAIL>"}]

    def test_text_counts_as_it_came(self, data, tmp_path):
        source = write_lines(tmp_path / "in.jsonl", [{"id": 1, "text": "mail someone@b.org"}])
        got = counts(data("filter", source, "-o", tmp_path / "out", "--preset", "pii", "--json"))
        assert (got["bytes_in"], got["bytes_kept"]) == (len("mail someone@b.org"), len("mail <EMAIL>"))


def progress_of(folder):
    return sorted((path.name, path.stat().st_mtime_ns) for path in (folder / ".ponder").glob("*state*"))


def run_and_kill(arguments, folder, random_):
    """Starts the command and kills it behind each fresh checkpoint, up to 12 times; how often it was killed."""
    kills = 0
    while True:
        before = progress_of(folder)
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen([str(a) for a in arguments], stdout=out, stderr=subprocess.PIPE)
            while kills < 12 and process.poll() is None:
                try:
                    moved = progress_of(folder) != before
                except FileNotFoundError:  # renamed while we looked
                    moved = True
                if moved:
                    time.sleep(random_.uniform(0, 0.02))
                    process.kill()
                    break
            _, err = process.communicate()
            if process.returncode == -signal.SIGKILL:
                kills += 1
                continue
            assert process.returncode == 0, err
            out.seek(0)
            return kills, json.loads(out.read())


def split(path, count):
    """The lines of a file in `count` files, in order."""
    lines = path.read_bytes().splitlines(keepends=True)
    files = []
    for i in range(count):
        files.append(path.with_name(f"{path.stem}-{count}-{i}.jsonl"))
        files[-1].write_bytes(b"".join(lines[len(lines) * i // count: len(lines) * (i + 1) // count]))
    return files


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """3000 documents; every fifth is a copy of an earlier one, every seventh nearly."""
    random_ = random.Random(1)
    documents = []
    for i in range(3000):
        text = sentence(random_, 120)
        if i % 5 == 4:
            text = documents[random_.randrange(len(documents))]["text"]
        elif i % 7 == 6:
            words = documents[random_.randrange(len(documents))]["text"].split()
            words[random_.randrange(len(words))] = "changed"
            text = " ".join(words)
        documents.append({"id": f"d{i}", "text": text})
    return write_lines(tmp_path_factory.mktemp("corpus") / "in.jsonl", documents)


KINDS = [["exact"], ["near"], ["substring", "--words", "40"]]


class TestDedup:
    def test_exact(self, data, corpus, tmp_path):
        got = counts(data("dedup", "exact", corpus, "-o", tmp_path / "out", "--json"))
        first, expected = {}, []
        for document in read_lines(corpus):
            if first.setdefault(document["text"], document["id"]) == document["id"]:
                expected.append(document)
        assert read_lines(tmp_path / "out/part-00000.jsonl") == expected
        assert got["kept"] == len(expected)
        texts = {document["id"]: document["text"] for document in read_lines(corpus)}
        for entry in read_lines(tmp_path / "out/removed.jsonl"):
            assert texts[entry["id"]] == texts[entry["duplicate_of"]]
            assert first[texts[entry["id"]]] == entry["duplicate_of"]

    def test_near(self, data, corpus, tmp_path):
        counts(data("dedup", "near", corpus, "-o", tmp_path / "out", "--json"))
        texts = {document["id"]: document["text"] for document in read_lines(corpus)}

        def shingles(text):
            words = text.split()
            return {tuple(words[i:i + 5]) for i in range(len(words) - 4)}

        removed = read_lines(tmp_path / "out/removed.jsonl")
        for entry in removed:  # components chain: similarity to what stays may be a little lower
            a, b = shingles(texts[entry["id"]]), shingles(texts[entry["duplicate_of"]])
            assert len(a & b) / len(a | b) > 0.5
            assert int(entry["duplicate_of"][1:]) < int(entry["id"][1:])
        ids = {entry["id"] for entry in removed}
        exact = set()
        seen = set()
        for name, text in texts.items():
            if text in seen:
                exact.add(name)
            seen.add(text)
        assert exact <= ids
        assert len(ids) > len(exact) + 250  # of about 340 that differ in one word of 120

    def test_smallest_id_stays_not_the_first(self, data, tmp_path):
        source = write_lines(tmp_path / "in.jsonl", [{"id": i, "text": "the same text for all"} for i in (30, 4, 200)])
        counts(data("dedup", "exact", source, "-o", tmp_path / "out", "--json"))
        assert [document["id"] for document in read_lines(tmp_path / "out/part-00000.jsonl")] == [4]

    def test_substring(self, data, tmp_path):
        random_ = random.Random(2)
        shared = sentence(random_, 60)
        source = write_lines(tmp_path / "in.jsonl", [
            {"id": 0, "text": "begin " + shared + " end"}, {"id": 1, "text": "other words"},
            {"id": 2, "text": "before " + shared + " behind"}, {"id": 3, "text": shared}])
        got = counts(data("dedup", "substring", source, "-o", tmp_path / "out", "--json"))
        assert [d["text"] for d in read_lines(tmp_path / "out/part-00000.jsonl")] == [
            "begin " + shared + " end", "other words", "before behind"]
        assert got["removed_by"] == {"repeated_text": 1} and got["changed"] == 1

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
    def test_same_bytes_for_shards_ranks_and_kills(self, data, ponder_bin, corpus, tmp_path, kind):
        counts(data("dedup", *kind, corpus, "-o", tmp_path / "one", "-t", "1", "--json"))
        expected = parts(tmp_path / "one")
        removed = (tmp_path / "one/removed.jsonl").read_bytes()
        for shards, memory in ((3, "16M"), (8, "2G")):
            files = split(corpus, shards)
            out = tmp_path / f"shards{shards}"
            counts(data("dedup", *kind, *files, "-o", out, "--memory", memory, "-t", "2", "--json"))
            assert parts(out) == expected and (out / "removed.jsonl").read_bytes() == removed
        command = [ponder_bin, "data", "dedup", *kind, *split(corpus, 8), "--checkpoint", "100000", "--json"]
        kills, got = run_and_kill([*command, "-o", tmp_path / "killed"], tmp_path / "killed", random.Random(3))
        assert kills > 0
        assert parts(tmp_path / "killed") == expected
        ranks = [subprocess.Popen([*map(str, command), "-o", str(tmp_path / "ranks"), "--rank", str(r), "--world", "3"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) for r in range(3)]
        for process in ranks:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert parts(tmp_path / "ranks") == expected
        assert (tmp_path / "ranks/removed.jsonl").read_bytes() == removed


class TestResume:
    def test_filter_killed_inside_files(self, data, ponder_bin, tmp_path):
        random_ = random.Random(4)
        source = write_lines(tmp_path / "in.jsonl",
                             [{"id": i, "text": sentence(random_, 300)} for i in range(8000)])
        command = ["filter", source, "--keep-if", "count(text, 'alpha1') < 4", "--checkpoint", "1M", "--json",
                   "--compress", "zst"]
        whole = counts(data(*command, "-o", tmp_path / "whole", "-t", "1"))
        kills, got = run_and_kill([ponder_bin, "data", *command, "-o", tmp_path / "killed", "-t", "2"],
                                  tmp_path / "killed", random_)
        assert kills > 0 and got == whole and whole["removed"] > 0
        assert parts(tmp_path / "killed") == parts(tmp_path / "whole")
        for name in ("removed.jsonl", "quarantine.jsonl"):
            assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    def test_ctrl_c_then_on(self, ponder_bin, data, tmp_path):
        source = write_lines(tmp_path / "in.jsonl",
                             [{"id": i, "text": sentence(random.Random(i), 100)} for i in range(20000)])
        command = ["data", "filter", source, *KEEP_ALL, "-o", tmp_path / "out", "--checkpoint", "1M", "--json"]
        process = subprocess.Popen([str(ponder_bin), *map(str, command)], stderr=subprocess.PIPE)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode in (0, 130)
        counts(data(*command[1:]))
        assert parts(tmp_path / "out") == source.read_bytes()


def test_decontaminate_names_the_item(data, tmp_path):
    question = "A farmer has seventeen sheep and all but nine of them run away"
    (tmp_path / "set.jsonl").write_text(json.dumps({"task_id": "Q/7", "question": question}) + "\n")
    source = write_lines(tmp_path / "in.jsonl", [
        {"id": 1, "text": "x " + question.upper().replace(" ", ",  ") + " y"}, {"id": 2, "text": "clean text"}])
    got = counts(data("decontaminate", "--against", tmp_path / "set.jsonl", source, "-o", tmp_path / "out", "--json"))
    assert (got["kept"], got["removed"]) == (1, 1)
    entry = read_lines(tmp_path / "out/removed.jsonl")[0]
    assert entry["item"] == "set.jsonl:Q/7" and entry["field"] == "question" and "SEVENTEEN" in entry["match"]


def test_pack(data, deepseek_v3_tokenizer, tmp_path):
    random_ = random.Random(5)
    source = write_lines(tmp_path / "in.jsonl",
                         [{"id": i, "text": sentence(random_, random_.randrange(1, 400))} for i in range(300)])
    command = ["pack", source, "-m", deepseek_v3_tokenizer, "--length", "256", "--json"]
    got = counts(data(*command, "-o", tmp_path / "out", "-t", "2"))
    assert got["documents"] == 300 and got["filled"] > 0.98
    counts(data(*command, "-o", tmp_path / "again", "-t", "1"))
    assert parts(tmp_path / "out") == parts(tmp_path / "again")
    size = (tmp_path / "out/part-00000.pack").stat().st_size
    assert size > got["sequences"] * 256 * 4
    with source.open("a") as file:
        file.write('{"id": 300, "text": \n{"id": 301}\n')
    bad = counts(data(*command, "-o", tmp_path / "bad"))
    assert (bad["in"], bad["kept"], bad["quarantined"]) == (302, 300, 2)
    assert sum(bad["quarantined_by"].values()) == 2 and parts(tmp_path / "bad") == parts(tmp_path / "out")


ENGLISH = ["The committee said that the report would be ready by the end of the year, and that it was good.",
           "People have always wanted to know what lies beyond the hills and the rivers of their home.",
           "She walked to the market with her brother, and they talked about the weather and the harvest."]


def prose(random_, sentences):
    """English words in no order: passes the rules, and no two texts are alike."""
    words = " ".join(ENGLISH).split()
    return " ".join(" ".join(random_.choices(words, k=15)) for _ in range(sentences))


def test_what_if_tells_what_a_run_would_keep(data, tmp_path):
    random_ = random.Random(6)
    documents = [{"id": i, "text": prose(random_, random_.randrange(1, 9)) + " #" * random_.randrange(0, 30)}
                 for i in range(400)]
    source = write_lines(tmp_path / "in.jsonl", documents)
    changes = ["--set", "gopher_quality.min_words=90", "--set", "gopher_quality.symbol_ratio=0.05"]
    first = counts(data("filter", source, "--preset", "gopher", "--record", "-o", tmp_path / "a", "--json"))
    told = counts(data("what-if", tmp_path / "a", *changes, "--json"))
    real = counts(data("filter", source, "--preset", "gopher", *changes, "-o", tmp_path / "b", "--json"))
    assert told["kept_before"] == first["kept"] and told["kept_after"] == real["kept"] != first["kept"]
    after = {rule["rule"]: rule["removed_after"] for rule in told["rules"] if rule["removed_after"]}
    assert after == real["removed_by"]
    result = data("what-if", tmp_path / "b", *changes)
    assert result.returncode == 1 and "--record" in result.stderr


def test_report_holds_no_markup_of_documents(data, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"id": "</script><b>", "text": "<script>alert(1)</script> <!--"}])
    counts(data("filter", source, "--preset", "gopher", "-o", tmp_path / "out", "--json"))
    assert data("report", tmp_path / "out", "-o", tmp_path / "page.html").returncode == 0
    page = (tmp_path / "page.html").read_text()
    assert "alert(1)" in page and page.count("<script") == 2 and page.count("</script>") == 2
    assert "<!--" not in page and "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_sample_and_stats(data, tmp_path):
    documents = [{"id": i, "text": "x y\n" * (i % 50 + 1)} for i in range(1000)]
    source = write_lines(tmp_path / "in.jsonl", documents)
    got = counts(data("sample", source, "-n", "100", "-o", tmp_path / "hundred", "--json"))
    assert got["kept"] == 100
    counts(data("sample", *split(source, 3), "-n", "100", "-o", tmp_path / "cut", "--json"))
    assert parts(tmp_path / "hundred") == parts(tmp_path / "cut")
    some = counts(data("sample", source, "--fraction", "0.2", "-o", tmp_path / "fifth", "--json"))["kept"]
    assert 140 < some < 260
    stats = counts(data("stats", source, "--json"))
    assert stats["documents"] == 1000
    assert stats["words"] == sum(2 * (i % 50 + 1) for i in range(1000))


RECIPE = """
input = ["{source}"]
output = "{output}"
compress = "zst"
[[step]]
type = "filter"
preset = "gopher"
record = true
[step.gopher_quality]
min_words = 30
[[step]]
type = "dedup-exact"
[[step]]
type = "dedup-near"
[[step]]
type = "dedup-substring"
words = 500
[[step]]
type = "decontaminate"
against = ["{items}"]
[[step]]
type = "sample"
fraction = 1.0
[[step]]
type = "pack"
tokenizer = "{tokenizer}"
length = 128
"""


def test_pipeline_killed_then_trained_on(data, ponder, ponder_bin, tmp_path):
    """The whole way from raw text to weights, with kills and two cuts of the input."""
    random_ = random.Random(8)
    documents = [{"id": i, "text": prose(random_, 6)} for i in range(300)]
    documents += [{"id": 1000 + i, "text": documents[i]["text"]} for i in range(50)] + [{"id": 5000, "text": "short"}]
    planted = "Nine brown foxes jump over twelve lazy dogs in the old garden"
    documents.append({"id": 6000, "text": prose(random_, 5) + " " + planted})
    source = write_lines(tmp_path / "in.jsonl", documents)
    items = write_lines(tmp_path / "items.jsonl", [{"id": "fox", "question": planted}])
    folder = tmp_path / "recipe"
    tokenizer = ROOT / "recipes/tiny-r1"

    def recipe(name, pattern):
        path = tmp_path / f"{name}.toml"
        path.write_text(RECIPE.format(source=pattern, output=tmp_path / name, items=items, tokenizer=tokenizer))
        return path

    steps = counts(data("run", recipe("whole", source), "--json"))["steps"]
    assert [step["kept"] for step in steps] == [351, 301, 301, 301, 300, 300, 300]
    split(source, 3)
    command = [ponder_bin, "data", "run", recipe("cut", tmp_path / "in-3-*.jsonl"), "--json"]
    for _ in range(4):
        process = subprocess.Popen([str(a) for a in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(random_.uniform(0.01, 0.2))
        process.kill()
        process.communicate()
    result = subprocess.run([str(a) for a in command], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for step in steps[:-1]:
        name = step["folder"].rsplit("/", 1)[1]
        again = data("filter", tmp_path / "cut" / name, "-o", "-", *KEEP_ALL, text=False).stdout
        assert again == data("filter", tmp_path / "whole" / name, "-o", "-", *KEEP_ALL, text=False).stdout
    shutil.copytree(tokenizer, folder)
    (folder / "train.toml").write_text(
        '[model]\nconfig = "config.json"\ntokenizer = "."\n[data]\ntrain = ["' +
        str(tmp_path / "whole/07-pack/part-00000.pack") +
        '"]\nlength = 128\ngroup = 256\n[train]\nsteps = 2\nbatch = 1\n[optimizer]\nrate = 1e-3\n')
    trained = ponder("train", "pretrain", folder / "train.toml", "--out", tmp_path / "run")
    assert trained.returncode == 0, trained.stderr
    assert "weights sha256:" in trained.stdout


def peak_of(ponder_bin, *arguments):
    """Memory of a run in MB, as the system counts it; and its counts."""
    result = subprocess.run(
        [sys.executable, "-c",
         "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=sys.stderr);"
         "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
         str(ponder_bin), "data", *map(str, arguments), "--json"], capture_output=True, text=True)
    code, kilobytes = map(int, result.stdout.split())
    assert code == 0, result.stderr
    return kilobytes / 1024, json.loads(result.stderr.splitlines()[-1])


def numbers(random_, words):
    return " ".join(map(str, random_.choices(range(10**6), k=words)))


@pytest.mark.parametrize("lengths", ["equal", "uneven"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_memory_stays_within_its_limit(ponder_bin, tmp_path, kind, lengths):
    """A corpus whose tables are larger than the limit."""
    random_ = random.Random(9)
    with (tmp_path / "in.jsonl").open("w") as out:
        for i in range(60_000 if lengths == "equal" else 8000):
            words = 150 if lengths == "equal" else random_.choice([20] * 19 + [30_000])
            out.write(json.dumps({"id": i, "text": numbers(random_, words)}) + "\n")
    peak, _ = peak_of(ponder_bin, "dedup", *kind, tmp_path / "in.jsonl", "-o", tmp_path / "out", "--memory", "160M",
                      "-t", "2")
    assert peak < 160


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_memory_of_threads_and_of_marks(ponder_bin, tmp_path, threads):
    """Long documents for every thread, and each passage twice, so that there is a mark for every word."""
    random_ = random.Random(10)
    texts = [numbers(random_, 20 if i % 20 else 100_000) for i in range(600)]
    with (tmp_path / "in.jsonl").open("w") as out:
        for i, text in enumerate(texts * 2):
            out.write(json.dumps({"id": i, "text": text}) + "\n")
    peak, got = peak_of(ponder_bin, "dedup", "substring", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--memory",
                        "160M", "-t", threads)
    assert got["removed"] == 30
    assert peak < 160


LINE_STEPS = [["filter", "--preset", "gopher", "--record"], ["dedup", "exact"], ["dedup", "near"],
              ["dedup", "substring"], ["decontaminate", "--against", "items.jsonl"], ["stats"]]


@pytest.mark.parametrize("step", LINE_STEPS, ids=lambda step: "-".join(step[:2]))
def test_a_line_of_100_megabytes(ponder_bin, tmp_path, step, monkeypatch):
    """Longer than any limit: one entry in the quarantine. The longest line that is none fits into memory."""
    monkeypatch.chdir(tmp_path)
    words = " ".join(["The committee said that the report would be ready by the end of the year"] * 7)
    longest = '{"id": 2, "text": "' + (words + " ") * (4_900_000 // len(words)) + '"}'
    with open("in.jsonl", "w") as out:
        out.write('{"id": 1, "text": "before"}\n' + '{"id": 0, "text": "')
        for _ in range(1000):
            out.write("x" * 100_000)
        out.write('"}\n' + longest + '\n{"id": 3, "text": "behind"}\n')
    write_lines(tmp_path / "items.jsonl", [{"question": "who comes before and behind"}])
    output = [] if step[0] == "stats" else ["-o", "out"]
    peak, got = peak_of(ponder_bin, *step, "in.jsonl", *output, "--memory", "160M", "-t", "3")
    assert peak < 160
    if step[0] == "stats":
        assert got["documents"] == 3 and got["quarantined"] == 1
        return
    assert got["in"] == 4 == got["kept"] + got["removed"] + got["quarantined"]
    entry, = read_lines(tmp_path / "out/quarantine.jsonl")
    assert (entry["file"], entry["offset"], entry["record"]) == ("in.jsonl", 28, 1)
    assert entry["reason"] == "the line is longer than the limit"


def test_records_share_the_memory(data, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"id": 1, "text": "x" * 600_000}, {"id": 2, "text": "x" * 400_000}])
    got = counts(data("filter", source, "-o", tmp_path / "a", *KEEP_ALL, "--memory", "16M", "--json"))
    assert (got["kept"], got["quarantined"]) == (1, 1)
    result = data("filter", source, "-o", tmp_path / "a", *KEEP_ALL, "--json")
    assert result.returncode == 1 and "other settings" in result.stderr
    result = data("filter", source, "-o", tmp_path / "b", *KEEP_ALL, "--memory", "16M", "--max-record", "2M")
    assert result.returncode == 1 and "--memory 16M" in result.stderr and "--max-record" in result.stderr
