"""Every command from outside: help, exit statuses, JSON, standard input, bad files."""
import json
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import numpy
import pytest
import safetensors.numpy

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TINY = GOLDEN / "model/qwen2-s1"
COMMANDS = ["run", "chat", "tokenize", "logits", "perplexity", "info", "pull", "convert",
            "synth", "bench"]


def fails(done, *parts, status=1):
    """One line on standard error that says all of `parts`, nothing on standard output."""
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("ponder: ") and done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert str(part) in done.stderr


@pytest.fixture
def in_folder(tmp_path):
    """An environment whose home and cache are a new folder."""
    return {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "PONDER_CACHE": ""}


# ---- help and usage -------------------------------------------------------------------------

def test_without_a_command_the_help_is_shown(ponder):
    done = ponder()
    assert done.returncode == 0 and done.stderr == ""
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert done.stdout == ponder("--help").stdout


def test_version(ponder):
    assert ponder("--version").stdout.startswith("ponder 0.")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(ponder, command):
    done = ponder(command, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert f"Usage: ponder {command}" in done.stdout
    assert f"Examples:\n  ponder {command}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 200


@pytest.mark.parametrize("arguments,part", [
    (["frobnicate"], "frobnicate"),
    (["logits"], "--model"),
    (["run", "-m", "x", "--frobnicate"], "--frobnicate"),
    (["run", "-m", "x", "--greedy", "--temperature", "1", "a"], "--temperature"),
    (["run", "-m", "x", "--raw", "--system", "a", "b"], "--raw"),
    (["run", "-m", "x", "--temperature", "nan", "a"], "--temperature"),
    (["run", "-m", "x", "--temperature", "-1", "a"], "--temperature"),
    (["run", "-m", "x", "--top-p", "1.01", "a"], "--top-p"),
    (["run", "-m", "x", "--top-k", "0.5", "a"], "--top-k"),
    (["run", "-m", "x", "--min-p", "inf", "a"], "--min-p"),
    (["run", "-m", "x", "--repeat-penalty", "0", "a"], "--repeat-penalty"),
    (["run", "-m", "x", "--presence-penalty", "x", "a"], "--presence-penalty"),
    (["run", "-m", "x", "--frequency-penalty", "1e9", "a"], "--frequency-penalty"),
    (["run", "-m", "x", "--seed", "-1", "a"], "--seed"),
    (["run", "-m", "x", "-n", "-1", "a"], "--max-tokens"),
    (["run", "-m", "x", "--ctx", "0", "a"], "--ctx"),
    (["run", "-m", "x", "--ctx", "99999999999999999999", "a"], "--ctx"),
    (["run", "-m", "x", "--threads", "-2", "a"], "--threads"),
    (["run", "-m", "x", "--isa", "sse9", "a"], "--isa"),
    (["run", "-m", "x", "--kv-type", "q4_0", "a"], "--kv-type"),
    (["run", "-m", "x", "--activations", "int4", "a"], "--activations"),
    (["run", "-m", "x", "--mla", "other", "a"], "--mla"),
    (["run", "-m", "x", "--speculate", "guess", "a"], "--speculate"),
    (["run", "-m", "x", "--speculate", "lookup", "--draft", "0", "a"], "--draft"),
    (["chat", "-m", "x", "--speculate", "lookup", "--draft", "65"], "--draft"),
    (["tokenize", "-m", "x", "--decode", "1", "text"], "--decode"),
    (["perplexity", "-m", "x"], "--file"),
    (["perplexity", "-m", "x", "--file", "f", "--ctx", "1"], "--ctx"),
    (["logits", "-m", "x", "--tokens", "1"], "--out"),
    (["convert", "a"], "--output"),
    (["convert", "a", "b", "--type", "q9"], "--type"),
    (["pull"], "NAME"),
])
def test_wrong_use_names_the_flag_and_ends_with_2(ponder, arguments, part):
    fails(ponder(*arguments), part, "--help", status=2)


@pytest.mark.parametrize("arguments", [
    ["run", "-m", "no/such", "a"], ["chat", "-m", "no/such"], ["tokenize", "-m", "no/such", "a"],
    ["logits", "-m", "no/such", "--tokens", "1", "--out", "x"], ["info", "-m", "no/such"],
    ["bench", "-m", "no/such"],
    ["perplexity", "-m", "no/such", "--file", __file__], ["convert", "no/such", "x.gguf"]])
def test_a_missing_model_is_told(ponder, arguments, in_folder, tmp_path):
    fails(ponder(*arguments, env=in_folder, cwd=tmp_path), "no/such", "ponder pull")
    assert not (tmp_path / "x").exists() and not (tmp_path / "x.gguf").exists()


# ---- bad files ------------------------------------------------------------------------------

@pytest.mark.parametrize("content", [
    b"", b"GGUF", b"not a model", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
    b"GGUF" + struct.pack("<IQQ", 99, 0, 0), b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40)])
def test_bad_gguf_files_are_refused_by_name(ponder, tmp_path, content):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    fails(ponder("run", "-m", path, "a"), path)
    fails(ponder("logits", "-m", path, "--tokens", "1", "--out", tmp_path / "out"), path)
    fails(ponder("info", "-m", path), path)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.gguf"]


def test_a_truncated_model_is_refused_and_nothing_is_written(ponder, tmp_path):
    whole = (GOLDEN / "model/qwen2-s1.f32.gguf").read_bytes()
    path = tmp_path / "cut.gguf"
    for length in range(0, len(whole), max(1, len(whole) // 12)):
        path.write_bytes(whole[:length])
        fails(ponder("logits", "-m", path, "--tokens", "1", "--out", tmp_path / "out"), path)
        fails(ponder("convert", path, tmp_path / "out.gguf"), path)
    assert [p.name for p in tmp_path.iterdir()] == ["cut.gguf"]


def test_file_names_cannot_drive_the_terminal(ponder):
    done = ponder("info", "-m", "no\x1b[2J\nsuch")
    fails(done)
    assert "\x1b" not in done.stderr


# ---- tokenize -------------------------------------------------------------------------------

TEXT = "Hello, wörld! 你好 \U0001f600\n\tdef f(x):  # <|im_end|> 12345"


def test_tokenize_round_trip(ponder, coder_half_b):
    done = ponder("tokenize", "-m", coder_half_b, "--json", TEXT)
    seen = json.loads(done.stdout)
    assert list(seen) == ["tokens", "pieces"]
    assert len(seen["tokens"]) == len(seen["pieces"])
    back = ponder("tokenize", "-m", coder_half_b, "--decode", ",".join(map(str, seen["tokens"])))
    assert back.stdout == TEXT
    again = ponder("tokenize", "-m", coder_half_b, "--decode", "-", "--json",
                   input=json.dumps(seen["tokens"]))
    assert json.loads(again.stdout) == {"text": TEXT, "tokens": seen["tokens"]}


def test_tokenize_reads_files_and_standard_input_exactly(ponder, coder_half_b, tmp_path):
    text = TEXT + "\n\n"
    path = tmp_path / "text"
    path.write_text(text)
    ways = [ponder("tokenize", "-m", coder_half_b, "--json", text),
            ponder("tokenize", "-m", coder_half_b, "--json", "--file", path),
            ponder("tokenize", "-m", coder_half_b, "--json", "--file", "-", input=text),
            ponder("tokenize", "-m", coder_half_b, "--json", input=text)]
    assert len({done.stdout for done in ways}) == 1 and ways[0].returncode == 0
    lines = ponder("tokenize", "-m", coder_half_b, text).stdout.splitlines()
    assert [int(line.split("\t")[0]) for line in lines] == json.loads(ways[0].stdout)["tokens"]


def test_special_tokens_can_be_plain_text(ponder, coder_half_b):
    def tokens(*flags):
        done = ponder("tokenize", "-m", coder_half_b, "--json", *flags, "a<|im_end|>")
        return json.loads(done.stdout)["tokens"]
    assert 151645 in tokens() and 151645 in tokens("--no-special")
    assert 151645 not in tokens("--no-parse-special")


def test_decoding_can_leave_special_tokens_out(ponder, coder_half_b):
    def text(*flags):
        return ponder("tokenize", "-m", coder_half_b, "--decode", "9707,151645", *flags).stdout
    assert text() == "Hello<|im_end|>" and text("--no-special") == "Hello"


@pytest.mark.parametrize("ids", [" ", "1,,2", "a", "-1", "151936", "1;2", "1 2,3 4"])
def test_bad_lists_of_ids(ponder, coder_half_b, ids):
    fails(ponder("tokenize", "-m", coder_half_b, f"--decode={ids}"), "--decode")


def test_no_text_gives_no_tokens(ponder, coder_half_b):
    done = ponder("tokenize", "-m", coder_half_b, "--json", "")
    assert json.loads(done.stdout) == {"tokens": [], "pieces": []}


# ---- logits ---------------------------------------------------------------------------------

def golden_logits(name):
    return safetensors.numpy.load_file(GOLDEN / "model" / name / "expected.safetensors")


@pytest.mark.parametrize("name", ["qwen2-s1", "qwen3-s1", "llama3-s1", "deepseek_v2-s1",
                                  "deepseek_v2_full-s1", "deepseek_v3-s1", "deepseek_v3_fp8-s1"])
def test_logits_and_hidden_states_are_the_expected_ones(ponder, tmp_path, name):
    expected = golden_logits(name)
    ids = expected["tokens"].reshape(-1)
    out = tmp_path / "out.safetensors"
    done = ponder("logits", "-m", GOLDEN / "model" / name, "--tokens", ",".join(map(str, ids)),
                  "--out", out, "--hidden")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    seen = safetensors.numpy.load_file(out)
    assert seen["logits"].dtype == numpy.float32
    for key in seen:
        wanted = expected[key].reshape(seen[key].shape)
        assert abs(seen[key] - wanted).max() <= 2e-4, key
    layers = json.loads((GOLDEN / "model" / name / "config.json").read_text())["num_hidden_layers"]
    assert set(seen) == {"logits"} | {f"hidden_{i}" for i in range(layers + 1)}


def test_logits_of_many_tokens_do_not_depend_on_their_number(ponder, tmp_path):
    vocabulary = json.loads((TINY / "config.json").read_text())["vocab_size"]
    ids = [(7 * i) % vocabulary for i in range(100)]
    outs = []
    for count in (100, 65):
        out = tmp_path / str(count)
        assert ponder("logits", "-m", TINY, "--tokens", ",".join(map(str, ids[:count])), "--out",
                      out).returncode == 0
        outs.append(safetensors.numpy.load_file(out)["logits"])
    assert outs[0].shape == (100, vocabulary)
    assert numpy.array_equal(outs[0][:65], outs[1])


def test_logits_refuses_bad_ids_and_places(ponder, tmp_path):
    out = tmp_path / "out"
    for ids in ("100000000", "-1", "x", " "):
        fails(ponder("logits", "-m", TINY, f"--tokens={ids}", "--out", out), "--tokens")
    fails(ponder("logits", "-m", TINY, "--tokens", "1", "--out", tmp_path / "no/out"), "no/out")
    assert list(tmp_path.iterdir()) == []


# ---- info, convert, perplexity --------------------------------------------------------------

def test_info_of_the_machine(ponder):
    info = json.loads(ponder("info", "--json").stdout)
    assert info["isa"] in info["isas"] and info["isas"][0] == "ref"
    assert set(info["kernels"]) == set(info["isas"])
    for kernels in info["kernels"].values():
        assert kernels and set(kernels.values()) <= {"native", "reference"}
    assert info["threads"] >= 1 and info["memory_bytes"] >= info["memory_available_bytes"] > 0
    assert json.loads(ponder("info", "--isa", "ref", "--json").stdout)["isa"] == "ref"


def test_info_of_a_model(ponder, coder_half_b):
    model = json.loads(ponder("info", "-m", coder_half_b, "--json").stdout)["model"]
    assert model["architecture"] == "qwen2" and model["layers"] == 24
    assert 494_000_000 <= model["active_parameters"] <= model["parameters"] < 640_000_000
    assert model["bytes"] == sum(model["formats"].values())
    assert 0.9 * coder_half_b.stat().st_size < model["bytes"] < coder_half_b.stat().st_size
    assert model["kv_bytes_per_token"] == 24 * 2 * 2 * 64 * 2
    assert model["context"] == 32768 and model["template"] == "qwen2.5" and not model["reasons"]
    assert model["tokenizer"]["pretokenizer"] == "qwen2"
    text = ponder("info", "-m", coder_half_b).stdout
    assert "qwen2.5" in text and "32768" in text


def test_info_of_a_header_without_tensors(ponder, r1_distill_header):
    model = json.loads(ponder("info", "-m", r1_distill_header, "--json").stdout)["model"]
    assert model["architecture"] == "qwen2" and model["layers"] == 28 and model["reasons"]
    fails(ponder("run", "-m", r1_distill_header, "a"), r1_distill_header)


def test_info_of_a_mixture_of_experts(ponder):
    model = json.loads(ponder("info", "-m", GOLDEN / "model/deepseek_v3-s1", "--json").stdout)["model"]
    assert model["active_parameters"] < model["parameters"]
    assert model["attention"]["kind"] == "multi-head latent" and model["experts"]["count"] > 0


def test_convert_keeps_the_logits(ponder, tmp_path):
    gguf, out = tmp_path / "tiny.gguf", tmp_path / "out"
    done = ponder("convert", TINY, gguf, "--type", "f32", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"path": str(gguf), "type": "f32",
                                       "bytes": gguf.stat().st_size}
    expected = golden_logits("qwen2-s1")
    ids = ",".join(map(str, expected["tokens"].reshape(-1)))
    assert ponder("logits", "-m", gguf, "--tokens", ids, "--out", out).returncode == 0
    seen = safetensors.numpy.load_file(out)["logits"]
    assert abs(seen - expected["logits"].reshape(seen.shape)).max() <= 2e-4


def test_convert_keeps_the_mtp_block_on_request(ponder, tmp_path):
    gguf, without = tmp_path / "with.gguf", tmp_path / "without.gguf"
    source = GOLDEN / "model/deepseek_v3-s1"
    assert ponder("convert", source, gguf, "--type", "f32", "--mtp").returncode == 0
    assert ponder("convert", gguf, without, "--type", "f32").returncode == 0
    counts = [json.loads(ponder("info", "-m", path, "--json").stdout)["model"]["mtp_parameters"]
              for path in (source, gguf, without)]
    assert counts[0] == counts[1] > 0 == counts[2]
    fails(ponder("convert", without, tmp_path / "x.gguf", "--mtp"), "no multi-token-prediction block",
          "--mtp")
    assert not (tmp_path / "x.gguf").exists()


def test_perplexity_json(ponder, coder_half_b, tmp_path):
    text = tmp_path / "text"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 8)
    done = ponder("perplexity", "-m", coder_half_b, "--file", text, "--ctx", "64", "--pieces", "1",
                  "--json")
    seen = json.loads(done.stdout)
    assert list(seen) == ["nll", "perplexity", "tokens"] and seen["tokens"] == 63
    assert seen["perplexity"] == pytest.approx(numpy.exp(seen["nll"]))
    piped = ponder("perplexity", "-m", coder_half_b, "--file", "-", "--ctx", "64", "--pieces", "1",
                   "--json", input=text.read_text())
    assert json.loads(piped.stdout) == seen
    fails(ponder("perplexity", "-m", coder_half_b, "--file", "-", input=""), "too short")


# ---- run ------------------------------------------------------------------------------------

def test_run_json(ponder, coder_half_b):
    done = ponder("run", "-m", coder_half_b, "--greedy", "-n", 6, "--json", "--threads", 1,
                  "--system", "Be brief.", "Say hello.")
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    seen = json.loads(done.stdout)
    assert seen["finish_reason"] in ("stop", "length") and 0 < len(seen["tokens"]) <= 6
    assert seen["text"].strip() and seen["reasoning"] == ""
    stats = seen["stats"]
    assert stats["prompt_tokens"] > 10 and stats["threads"] == 1
    assert stats["peak_memory_bytes"] > 100e6 and stats["load_seconds"] > 0
    assert stats["prompt_tokens_per_second"] > 0
    text = ponder("tokenize", "-m", coder_half_b, "--decode", ",".join(map(str, seen["tokens"])))
    assert text.stdout == seen["text"]


def test_run_prints_the_seed_that_repeats_the_answer(ponder, coder_half_b):
    first = json.loads(ponder("run", "-m", coder_half_b, "-n", 8, "--json", "Invent a word.").stdout)
    assert first["sampling"]["temperature"] == 0.7 and first["sampling"]["top_k"] == 20
    again = ponder("run", "-m", coder_half_b, "-n", 8, "--json", "--seed", first["sampling"]["seed"],
                   "Invent a word.")
    assert json.loads(again.stdout)["tokens"] == first["tokens"]


def test_run_takes_the_prompt_from_anywhere(ponder, coder_half_b):
    def tokens(*words, **options):
        done = ponder("run", "-m", coder_half_b, "--greedy", "-n", 1, "--json", *words, **options)
        return json.loads(done.stdout)["stats"]["prompt_tokens"]
    assert tokens("one two\n\nthree") == tokens("one", "two", input="three\n")
    assert tokens("one two") == tokens(input="one two\n")
    raw = [tokens("--raw", input=text) for text in ("a", "a\n")]
    assert raw == [1, 2]


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_run_wants_a_prompt(ponder, coder_half_b, text):
    fails(ponder("run", "-m", coder_half_b, input=text), "empty")
    fails(ponder("run", "-m", coder_half_b, text), "empty")


def test_speculation_needs_what_it_drafts_with(ponder, coder_half_b):
    fails(ponder("run", "-m", coder_half_b, "--draft", 4, "a"), "--draft", "--speculate")
    fails(ponder("chat", "-m", coder_half_b, "--draft", 4), "--draft", "--speculate")
    fails(ponder("run", "-m", coder_half_b, "--speculate", "mtp", "a"), coder_half_b.name,
          "no multi-token-prediction block")


@pytest.fixture
def tiny_v3(tmp_path):
    """The golden model with its multi-token-prediction block, and the 256 bytes as a vocabulary."""
    source, folder = GOLDEN / "model/deepseek_v3-s1", tmp_path / "tiny-v3"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(source / name)
    tokenizer = json.loads((GOLDEN / "text/qwen2.tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    letters = sorted((text for text in vocab if len(text) == 1), key=vocab.get)
    assert len(letters) == 256
    tokenizer["model"] |= {"vocab": {text: i for i, text in enumerate(letters)}, "merges": []}
    tokenizer["added_tokens"] = []
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


def test_the_mtp_block_drafts_from_both_kinds_of_files(ponder, tiny_v3, tmp_path):
    gguf = tmp_path / "tiny.gguf"
    assert ponder("convert", tiny_v3, gguf, "--type", "f32", "--mtp").returncode == 0
    def answer(model, *flags):
        done = ponder("run", "-m", model, "--raw", "-n", 60, "--temperature", 0.5, "--seed", 1,
                      "--presence-penalty", 0.5, "--json", *flags, "The quick brown fox")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    plain = answer(gguf)
    assert len(plain["tokens"]) == 60
    for model in (tiny_v3, gguf):
        drafted = answer(model, "--speculate", "mtp", "--draft", 3)
        assert drafted["tokens"] == plain["tokens"]
        assert drafted["stats"]["drafted_tokens"] > 0
        assert drafted["stats"]["cache_bytes"] > plain["stats"]["cache_bytes"]


def test_stats_are_on_standard_error(ponder, coder_half_b):
    done = ponder("run", "-m", coder_half_b, "--greedy", "-n", 4, "--stats", "Hi")
    assert "tokens/s" not in done.stdout and done.stdout.endswith("\n")
    for word in ("load", "prompt", "decode", "memory", "seed"):
        assert word in done.stderr


def test_context_limits_are_told(ponder, coder_half_b):
    fails(ponder("run", "-m", coder_half_b, "--ctx", 40000, "a"), "--ctx", "32768")
    fails(ponder("run", "-m", coder_half_b, "--ctx", 8, "one two three four"), "--ctx")
    done = ponder("run", "-m", coder_half_b, "--ctx", 64, "--greedy", "--raw", "1 2 3 4 5 6 7")
    assert done.returncode == 0 and "context" in done.stderr


def test_unknown_templates_are_told(ponder, coder_half_b, tmp_path):
    fails(ponder("run", "-m", coder_half_b, "--template", "nonsense", "a"), "nonsense", "qwen3")


def start_run(ponder_bin, model, *arguments, **options):
    return subprocess.Popen([ponder_bin, "run", "-m", model, "--greedy", "-n", "2000", *arguments,
                             "Count from 1 to 1000, separated by commas."], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_answer_in_order(ponder_bin, coder_half_b, number):
    process = start_run(ponder_bin, coder_half_b)
    first = process.stdout.read(8)
    process.send_signal(number)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number and errors == b""
    assert (first + rest).decode().endswith("\n")


def test_a_signal_keeps_the_json_whole(ponder_bin, coder_half_b):
    process = start_run(ponder_bin, coder_half_b, "--json")
    time.sleep(1)  # loading still, or within the answer
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert not out or json.loads(out)["finish_reason"] == "cancelled"


def test_a_closed_pipe_ends_quietly(ponder_bin, coder_half_b):
    process = start_run(ponder_bin, coder_half_b)
    process.stdout.read(8)
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""


def test_a_full_disk_is_told(ponder_bin):
    with open("/dev/full", "w") as full:
        done = subprocess.run([ponder_bin, "info"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "standard output" in done.stderr
