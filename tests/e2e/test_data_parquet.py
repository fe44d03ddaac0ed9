"""ponder data with Parquet: files of pyarrow, from build/arrow, read and written."""
import datetime
import decimal
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from test_data import KEEP_ALL, counts, parts, read_lines, run_and_kill, sentence, split, write_lines

sys.path.append(str(Path(__file__).resolve().parents[2] / "build/arrow"))
pa = pytest.importorskip("pyarrow", reason="tools/setup.sh parquet has not run")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def data(ponder):
    return lambda *arguments, **options: ponder("data", *arguments, **options)


def documents(count, seed=1, words=40):
    random_ = random.Random(seed)
    return [{"id": f"d{i}", "text": sentence(random_, words), "n": i, "score": i / 8, "ok": i % 2 == 0,
             "tags": [f"t{j}" for j in range(i % 4)], "meta": {"url": f"http://x/{i}", "deep": {"k": i % 3}},
             "maybe": None if i % 3 else f"ünï {i}"} for i in range(count)]


def write_parquet(path, rows, **options):
    pq.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def table_of(folder):
    return pq.read_table(sorted(folder.glob("part-*.parquet")))


@pytest.mark.parametrize("options", [
    {}, {"compression": "zstd"}, {"compression": "gzip", "use_dictionary": False}, {"compression": "lz4"},
    {"row_group_size": 37}, {"data_page_version": "2.0", "data_page_size": 1000}, {"use_byte_stream_split": ["score"],
                                                                                  "use_dictionary": ["text"]}],
    ids=lambda options: "-".join(map(str, options.values())) or "default")
def test_rows_are_records(data, tmp_path, options):
    rows = documents(500)
    source = write_parquet(tmp_path / "in.parquet", rows, **options)
    got = counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--json"))
    assert (got["in"], got["kept"]) == (500, 500)
    assert read_lines(tmp_path / "out/part-00000.jsonl") == rows


def test_types_become_json(data, tmp_path):
    table = pa.table({
        "text": pa.array(["a", "b"], pa.large_string()),
        "key": pa.array([2**64 - 1, 7], pa.uint64()), "small": pa.array([-3, None], pa.int8()),
        "half": pa.array([1.0, float("nan")], pa.float32()), "coded": pa.array(["x", "x"]).dictionary_encode(),
        "day": pa.array([datetime.date(2024, 2, 29), None]), "price": pa.array([decimal.Decimal("1.50"), None]),
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())),
        "pairs": pa.array([[1, 2], [3, 4]], pa.list_(pa.int16(), 2)), "none": pa.nulls(2)})
    pq.write_table(table, tmp_path / "in.parquet")
    counts(data("filter", tmp_path / "in.parquet", "-o", tmp_path / "out", *KEEP_ALL, "--json", "--id-field", "key"))
    assert read_lines(tmp_path / "out/part-00000.jsonl") == [
        {"text": "a", "key": 2**64 - 1, "small": -3, "half": 1.0, "coded": "x", "day": "2024-02-29", "price": "1.50",
         "map": [{"key": "k", "value": 1}], "pairs": [1, 2], "none": None},
        {"text": "b", "key": 7, "small": None, "half": None, "coded": "x", "day": None, "price": None, "map": [],
         "pairs": [3, 4], "none": None}]


def test_there_and_back(data, tmp_path):
    """What pyarrow wrote, written by ponder, is read by pyarrow with the same values and types."""
    rows = documents(700)
    source = write_parquet(tmp_path / "in.parquet", rows)
    counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--output-format", "parquet", "--json"))
    assert [path.name for path in (tmp_path / "out").glob("part-*")] == ["part-00000.parquet"]
    table = pq.read_table(tmp_path / "out/part-00000.parquet")
    assert table.to_pylist() == rows and table.schema.equals(pq.read_table(source).schema)
    # And again as the input of a step, by the folder's name.
    got = counts(data("filter", tmp_path / "out", "-o", tmp_path / "again", "--keep-if", "ok && n < 100", "--json",
                      "--output-format", "parquet", "--compress", "gz"))
    assert got["kept"] == 50
    again = pq.ParquetFile(tmp_path / "again/part-00000.parquet")
    assert again.read().to_pylist() == [row for row in rows if row["ok"] and row["n"] < 100]
    assert again.metadata.row_group(0).column(0).compression == "GZIP"
    assert not list((tmp_path / "again/.ponder").glob("*kept*"))


def test_columns_of_uneven_records(data, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a", "n": 1, "mixed": 1, "empty": {}, "real": 1}\n'
                      '{"text": "b", "n": 9007199254740993, "mixed": "x", "late": [1.5], "real": 2.5}\n'
                      '{"text": "c", "mixed": [1], "late": [], "real": null}\n')
    counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--output-format", "parquet", "--json"))
    assert table_of(tmp_path / "out").to_pylist() == [
        {"text": "a", "n": 1, "mixed": "1", "empty": "{}", "real": 1.0, "late": None},
        {"text": "b", "n": 9007199254740993, "mixed": '"x"', "empty": None, "real": 2.5, "late": [1.5]},
        {"text": "c", "n": None, "mixed": "[1]", "empty": None, "real": None, "late": []}]
    got = counts(data("filter", source, "-o", tmp_path / "none", "--keep-if", "chars > 9", "--output-format", "parquet",
                      "--json"))
    assert got["kept"] == 0 and table_of(tmp_path / "none").num_rows == 0


class TestDamage:
    def lines(self, folder):
        return read_lines(folder / "quarantine.jsonl")

    def test_one_damaged_row_group(self, data, tmp_path):
        rows = documents(400, words=200)
        source = write_parquet(tmp_path / "in.parquet", rows, row_group_size=100, compression="zstd")
        column = pq.ParquetFile(source).metadata.row_group(2).column(1)
        raw = bytearray(source.read_bytes())
        begin = column.dictionary_page_offset or column.data_page_offset
        for i in range(begin + 200, begin + column.total_compressed_size - 10):
            raw[i] ^= 0x55
        source.write_bytes(raw)
        got = counts(data("filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--json"))
        kept = read_lines(tmp_path / "out/part-00000.jsonl")
        assert kept == rows[:200] + rows[300:]
        assert (got["in"], got["quarantined"]) == (301, 1)
        entry = self.lines(tmp_path / "out")[0]
        first = pq.ParquetFile(write_parquet(tmp_path / "good.parquet", rows, row_group_size=100, compression="zstd"))
        at = first.metadata.row_group(2).column(0)
        assert "rows 200 to 299 are lost" in entry["reason"]
        assert entry["record"] == 200 and entry["offset"] == (at.dictionary_page_offset or at.data_page_offset)
        stopped = data("filter", source, "-o", tmp_path / "stop", *KEEP_ALL, "--stop-at-bad")
        assert stopped.returncode == 1 and "offset" in stopped.stderr

    def test_every_kind_of_truncation(self, data, tmp_path):
        whole = write_parquet(tmp_path / "whole.parquet", documents(50)).read_bytes()
        source = tmp_path / "in.parquet"
        for size in [0, 1, 3, 4, 7, 8, 12, len(whole) // 2, len(whole) - 200, len(whole) - 9, len(whole) - 8,
                     len(whole) - 4, len(whole) - 1]:
            source.write_bytes(whole[:size])
            got = counts(data("filter", source, "-o", tmp_path / f"out{size}", *KEEP_ALL, "--json"))
            assert (got["in"], got["kept"], got["quarantined"]) == (1, 0, 1), size
            assert "truncated" in self.lines(tmp_path / f"out{size}")[0]["reason"]

    def test_flipped_bits_never_crash(self, data, tmp_path):
        whole = write_parquet(tmp_path / "whole.parquet", documents(60), row_group_size=20).read_bytes()
        random_ = random.Random(5)
        for i in range(40):
            raw = bytearray(whole)
            for _ in range(random_.randrange(1, 5)):  # most of them in the footer
                raw[-random_.randrange(1, len(raw) if i % 4 == 0 else 2500)] ^= 1 << random_.randrange(8)
            (tmp_path / f"flipped{i}.parquet").write_bytes(raw)
        got = counts(data("filter", tmp_path / "flipped*.parquet", "-o", tmp_path / "out", *KEEP_ALL, "--json"))
        assert got["in"] == got["kept"] + got["quarantined"] and got["kept"] > 100 and got["quarantined"] > 5

    def test_rows_that_are_no_text(self, data, tmp_path):
        table = pa.table({"text": pa.array([b"good", b"\xff\xfe", b"x" * 5000, None], pa.binary())})
        pq.write_table(table, tmp_path / "in.parquet")
        got = counts(data("filter", tmp_path / "in.parquet", "-o", tmp_path / "out", *KEEP_ALL, "--max-record", "1000",
                          "--json"))
        assert (got["kept"], got["quarantined"]) == (1, 3)
        reasons = [entry["reason"] for entry in self.lines(tmp_path / "out")]
        assert "UTF-8" in reasons[0] and "longer" in reasons[1] and "no string" in reasons[2]

    def test_a_page_that_claims_to_be_huge(self, data, tmp_path, ponder_bin):
        """Zeros pack to nothing: the memory that a file may ask for is bounded by the longest record."""
        pq.write_table(pa.table({"text": ["0" * 400_000_000]}), tmp_path / "in.parquet", compression="zstd",
                       use_dictionary=False, write_statistics=False)
        assert (tmp_path / "in.parquet").stat().st_size < 200_000
        result = subprocess.run(
            [sys.executable, "-c",
             "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
             "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", str(ponder_bin), "data", "filter",
             str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out"), *KEEP_ALL, "--max-record", "1M", "-t", "1"],
            capture_output=True, text=True)
        code, kilobytes = map(int, result.stdout.splitlines()[-1].split())
        assert code == 0 and kilobytes < 250_000, result.stdout + result.stderr
        assert len(self.lines(tmp_path / "out")) == 1

    def test_names_and_pipes(self, data, tmp_path):
        source = write_parquet(tmp_path / "in.parquet", documents(3))
        (tmp_path / "in.bin").write_bytes(source.read_bytes())
        result = data("filter", tmp_path / "in.bin", "-o", tmp_path / "out", *KEEP_ALL)
        assert result.returncode == 1 and "--format parquet" in result.stderr
        got = counts(data("filter", tmp_path / "in.bin", "-o", tmp_path / "o2", *KEEP_ALL, "--format", "parquet", "--json"))
        assert got["kept"] == 3
        result = data("filter", source, "-o", "-", *KEEP_ALL, "--output-format", "parquet")
        assert result.returncode == 1 and "standard output" in result.stderr
        result = data("filter", tmp_path / "absent.parquet", "-o", tmp_path / "o3", *KEEP_ALL)
        assert result.returncode == 1 and "no such file" in result.stderr

    def test_full_disk(self, data, tmp_path):
        random_ = random.Random(3)
        rows = [{"id": i, "text": "%0500x" % random_.getrandbits(2000)} for i in range(4000)]
        source = write_parquet(tmp_path / "in.parquet", rows)
        arguments = ["filter", source, "-o", tmp_path / "out", *KEEP_ALL, "--output-format", "parquet", "--compress",
                     "zst", "--json"]

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

        result = data(*arguments, preexec_fn=limit)
        assert result.returncode == 1 and "goes on where it was" in result.stderr
        assert not list((tmp_path / "out").glob("part-*"))
        counts(data(*arguments))
        assert table_of(tmp_path / "out").to_pylist() == rows


def test_killed_inside_a_row_group(data, ponder_bin, tmp_path):
    rows = documents(6000, words=150)
    source = write_parquet(tmp_path / "in.parquet", rows, row_group_size=2500)
    command = ["filter", source, "--keep-if", "ok", "--checkpoint", "300K", "--output-format", "parquet",
               "--json"]
    whole = counts(data(*command, "-o", tmp_path / "whole"))
    kills, got = run_and_kill([ponder_bin, "data", *command, "-o", tmp_path / "killed"], tmp_path / "killed",
                              random.Random(4))
    assert kills > 2 and got == whole
    assert parts(tmp_path / "killed") == parts(tmp_path / "whole")
    assert table_of(tmp_path / "killed").to_pylist() == [row for row in rows if row["ok"]]


@pytest.mark.parametrize("kind", ["exact", "near", "substring"])
def test_dedup_as_of_lines(data, tmp_path, kind):
    rows = documents(300, words=80)
    rows += [dict(row, id=f"e{row['n']}") for row in rows[:60]]
    lines = write_lines(tmp_path / "in.jsonl", rows)
    source = write_parquet(tmp_path / "in.parquet", rows, row_group_size=100)
    one = counts(data("dedup", kind, lines, "-o", tmp_path / "lines", "--json"))
    assert counts(data("dedup", kind, source, "-o", tmp_path / "rows", "--output-format", "parquet", "--json")) == one
    assert one["removed"] == 60
    assert table_of(tmp_path / "rows").to_pylist() == read_lines(tmp_path / "lines/part-00000.jsonl")


def test_a_program_without_the_module_says_so(ponder_bin, tmp_path):
    alone = tmp_path / "ponder"
    try:
        os.link(ponder_bin, alone)
    except OSError:
        shutil.copy(ponder_bin, alone)
    source = write_parquet(tmp_path / "in.parquet", documents(3))
    for arguments in ([str(source)], [str(write_lines(tmp_path / "in.jsonl", documents(3))), "--output-format", "parquet"]):
        result = subprocess.run([alone, "data", "filter", *arguments, "-o", tmp_path / "out", *KEEP_ALL],
                                capture_output=True, text=True)
        assert result.returncode == 1 and "built without Parquet" in result.stderr
        assert "tools/setup.sh parquet" in result.stderr


def test_recipe_writes_parquet(data, tmp_path):
    source = write_parquet(tmp_path / "in.parquet", documents(20))
    recipe = tmp_path / "r.toml"
    text = (f'input = ["{source}"]\noutput = "{tmp_path}/clean"\noutput_format = "parquet"\n'
            '[[step]]\ntype = "dedup-exact"\n[[step]]\ntype = "sample"\nfraction = 1.0\n')
    recipe.write_text(text)
    counts(data("run", recipe, "--json"))
    assert table_of(tmp_path / "clean/02-sample").num_rows == 20
    assert (tmp_path / "clean/01-dedup-exact/part-00000.jsonl").exists()
    recipe.write_text(text + '[[step]]\ntype = "pack"\ntokenizer = "t"\n')
    result = data("run", recipe, "--check")
    assert result.returncode == 1 and "output_format" in result.stderr
