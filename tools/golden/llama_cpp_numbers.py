#!/usr/bin/env python3
"""Writes what llama.cpp makes of fixed texts: tests/golden/perplexity/llama_cpp.json and
tests/golden/text/r1_distill_qwen.llama_cpp.json, which tests/parity compares with.

    build/venv-peer/bin/python tools/golden/llama_cpp_numbers.py      (bench/peers_build.py makes that Python)
"""
import hashlib
import json
import sys
import unicodedata
from pathlib import Path

import llama_cpp
import numpy

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/parity"), str(ROOT / "tools")]

import fetch_models  # noqa: E402
import peers_llama  # noqa: E402
import tokenizer_parity  # noqa: E402
from mixed_text import mixed_text  # noqa: E402

ENGINE = f"llama-cpp-python {llama_cpp.__version__}, CPU, flash attention off"
CTX = 512
SPECIAL = "<｜User｜>a<think>b</think>c<｜end▁of▁sentence｜><|im_end|> <|endoftext|>"


def model_path(name):
    return fetch_models.fetch(name, fetch_models.DEFAULT_FOLDER)


def perplexities():
    text = (ROOT / "tests/golden/perplexity/text.txt").read_text(encoding="utf-8")
    models = {}
    for name in ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"):
        options = peers_llama.parse(["perplexity", str(model_path(name)), "--ctx", str(CTX)])
        result = peers_llama.perplexity(options, text)
        models[name] = {"nll": result["nll"], "tokens": result["tokens"]}
    return {"engine": ENGINE, "ctx": CTX, "models": models}


def tokens():
    text = unicodedata.normalize("NFC", mixed_text(1_000_000, 1) + SPECIAL)
    ids = tokenizer_parity.llama_tokens(str(model_path("r1-distill-qwen-7b")), text)
    return {"engine": ENGINE, "text_sha256": hashlib.sha256(text.encode()).hexdigest(), "tokens": len(ids),
            "tokens_sha256": hashlib.sha256(numpy.array(ids, "<i4").tobytes()).hexdigest()}


def write(path, value):
    (ROOT / "tests/golden" / path).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    write("text/r1_distill_qwen.llama_cpp.json", tokens())
    write("perplexity/llama_cpp.json", perplexities())
