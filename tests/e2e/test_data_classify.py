"""ponder data from outside: classifiers of quality and language, recall in rounds, answers that can be checked."""
import json
import random
from collections import Counter

import pytest

from test_data import KEEP_ALL, counts, parts, read_lines, split, write_lines


@pytest.fixture
def data(ponder):
    return lambda *arguments, **options: ponder("data", *arguments, **options)


def test_classifier_keeps_the_fraction_that_is_like_the_good(data, tmp_path):
    random_ = random.Random(7)
    good = ["proof lemma theorem integral matrix".split(), "buy cheap offer click discount".split()]

    def texts(kind, count):
        return [{"id": f"{kind}-{i}", "text": " ".join(random_.choice(good[kind]) for _ in range(30))}
                for i in range(count)]

    write_lines(tmp_path / "good.jsonl", texts(0, 200))
    write_lines(tmp_path / "bad.jsonl", texts(1, 200))
    source = write_lines(tmp_path / "in.jsonl", texts(0, 30) + texts(1, 70))
    trained = [data("classify", "train", "--good", tmp_path / "good.jsonl", "--bad", tmp_path / "bad.jsonl", "-o",
                    tmp_path / name, "--dim", "16", "--buckets", "1000", "--epochs", "10") for name in ("m1", "m2")]
    assert all(result.returncode == 0 for result in trained), trained[0].stderr
    assert (tmp_path / "m1").read_bytes() == (tmp_path / "m2").read_bytes()
    got = counts(data("classify", "apply", source, "-m", tmp_path / "m1", "--keep-fraction", "0.3", "-o",
                      tmp_path / "out", "--json"))
    kept = read_lines(tmp_path / "out/part-00000.jsonl")
    assert got["kept"] == 30 and all(document["id"].startswith("0-") for document in kept)
    assert all(document["quality"] > 0.5 for document in kept)
    result = data("classify", "apply", source, "-m", source, "-o", tmp_path / "other")
    assert result.returncode == 1 and "Traceback" not in result.stderr


def test_language_by_a_model(data, tmp_path):
    """A model of languages that CLD2 does not know, trained here."""
    random_ = random.Random(17)
    words = {"aa": "ono tiki palu wero", "bb": "grz ftk mlq wrr", "cc": "xu xo xi xa"}

    def text(code):
        return " ".join(random_.choice(words[code].split()) for _ in range(40))

    examples = {code: [{"id": f"{code}-{i}", "text": text(code)} for i in range(100)] for code in words}
    for code, some in examples.items():
        write_lines(tmp_path / f"{code}.jsonl", some)
    # classify train knows two labels: one model tells aa ("good") from the rest ("bad").
    result = data("classify", "train", "--good", tmp_path / "aa.jsonl", "--bad", tmp_path / "bb.jsonl", "-o",
                  tmp_path / "lang.bin", "--dim", "8", "--buckets", "1000", "--epochs", "20", "--word-ngrams", "1")
    assert result.returncode == 0, result.stderr
    mixed = [{"id": f"m{i}", "text": text("aa" if i % 3 == 0 else "bb")} for i in range(90)]
    mixed.append({"id": "unknown", "text": "never seen"})
    source = write_lines(tmp_path / "in.jsonl", mixed)
    got = counts(data("filter", source, "--language", "good", "--lang-model", tmp_path / "lang.bin", "-o",
                      tmp_path / "out", "--json"))
    kept = read_lines(tmp_path / "out/part-00000.jsonl")
    assert [document["id"] for document in kept] == [f"m{i}" for i in range(0, 90, 3)]
    assert all(document["language"] == "good" and document["language_score"] >= 0.65 for document in kept)
    assert got["removed_by"] == {"language": 61}
    rules = tmp_path / "rules.toml"
    rules.write_text(f'[language]\nkeep = ["bad"]\nmodel = ["{tmp_path}/lang.bin"]\nadd_fields = 0\n')
    counts(data("filter", source, "--rules", rules, "-o", tmp_path / "bad", "--json"))
    assert read_lines(tmp_path / "bad/part-00000.jsonl") == [mixed[i] for i in range(90) if i % 3]
    for arguments, message in [
            (["--language", "de", "--lang-model", tmp_path / "lang.bin"], "knows no language de"),
            (["--language", "de", "--lang-model", source], "no model of fastText"),
            (["--language", "de", "--lang-model", tmp_path / "absent"], "absent"),
            (["--lang-model", tmp_path / "lang.bin", *KEEP_ALL], "--language is missing")]:
        result = data("filter", source, *arguments, "-o", tmp_path / "wrong")
        assert result.returncode == 1 and message in result.stderr, result.stderr


def test_recall_widens_by_sites(data, tmp_path):
    """A synthetic web: maths sites write about two subjects, the seed knows one; other sites about other things.
    The second subject can be found only through the sites of the first."""
    random_ = random.Random(18)
    subject = {"algebra": "group ring field ideal module", "topology": "knot sheaf bundle fibre homotopy",
               "other": "cake music football garden weather travel dress film"}
    common = "the of and we is that this for with are".split()

    def text(kind):
        own = subject[kind].split()
        return " ".join(random_.choice(own if random_.random() < 0.5 else common) for _ in range(60))

    truth, corpus = {}, []
    for site in range(40):
        for page in range(50):
            kind = ("algebra" if page % 2 else "topology") if site < 8 else "other"
            truth[f"s{site}p{page}"] = kind
            corpus.append({"id": f"s{site}p{page}", "url": f"https://site{site}.org/{page}", "text": text(kind)})
    random_.shuffle(corpus)
    source = write_lines(tmp_path / "in.jsonl", corpus)
    seed = write_lines(tmp_path / "seed.jsonl", [{"id": f"seed{i}", "text": text("algebra")} for i in range(100)])

    def recall(name, files, *more):
        got = counts(data("classify", "recall", "--good", seed, *files, "-o", tmp_path / name, "--dim", "16", "--buckets",
                          "1000", "--epochs", "15", "--negatives", "400", *more, "--json"))
        return got, Counter(truth[json.loads(line)["id"]] for line in parts(tmp_path / name).decode().splitlines())

    # A tenth of the corpus: all of the subject that the seed is about.
    one, kinds = recall("one", [source], "--fraction", "0.1", "--rounds", "1")
    assert kinds == {"algebra": 200}
    assert len(one["rounds"]) == 1 and one["rounds"][0]["positives"] == 100 and one["rounds"][0]["sites"] == 8
    # The sites' other pages become examples, and pages like them are found.
    many, kinds = recall("many", [source], "--fraction", "0.1", "--rounds", "4")
    assert many["rounds"][0] == one["rounds"][0]
    assert many["rounds"][1]["positives"] == 300  # 200 pages of topology more
    assert kinds["topology"] >= 50 and kinds["topology"] + kinds["algebra"] == many["kept"] >= 200
    assert many["rounds"][-1]["threshold"] > many["rounds"][0]["threshold"]
    # A fifth: all of both subjects; nothing new comes, so it ends.
    both, kinds = recall("both", [source], "--fraction", "0.2", "--rounds", "4")
    assert kinds == {"algebra": 200, "topology": 200}
    assert len(both["rounds"]) == 2 and both["rounds"][1]["known"] == 1
    # The same for other cuts of the corpus and threads, and when asked again.
    cut, _ = recall("cut", split(source, 3), "--fraction", "0.1", "--rounds", "4", "-t", "3")
    assert cut == many and parts(tmp_path / "cut") == parts(tmp_path / "many")
    assert recall("many", [source], "--fraction", "0.1", "--rounds", "4")[0] == many
    result = data("classify", "recall", "--good", seed, "-", "-o", tmp_path / "pipe", input="")
    assert result.returncode == 1 and "rounds" in result.stderr


def test_r1_samples_need_an_answer_that_can_be_checked(data, tmp_path):
    samples = [("right", "12", "<think>3*4</think>The answer is 12."), ("wrong", "12", "<think>a</think>\\boxed{13}"),
               ("none", "12", "<think>3*4 is hard"), ("no reference", None, "\\boxed{12}"),
               ("code", "12", "```\nprint(12)\n```\n\\boxed{12}")]
    source = write_lines(tmp_path / "in.jsonl", [
        {"id": name, "text": text, **({"reference": reference} if reference else {})} for name, reference, text in samples])
    got = counts(data("filter", "--preset", "r1-samples", source, "-o", tmp_path / "out", "--json"))
    assert got["removed_by"] == {"answer_wrong": 1, "answer_not_verifiable": 2, "code_block": 1}
    assert [d["id"] for d in read_lines(tmp_path / "out/part-00000.jsonl")] == ["right"]
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert len(manifest["samples"]["answer_not_verifiable"]) == 2
