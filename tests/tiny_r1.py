"""A tiny random model behind the tokens of DeepSeek-R1: it says anything, and at a high temperature it
also closes its thoughts now and then.
"""
import json
from pathlib import Path

import numpy
import safetensors.numpy

GOLDEN = Path(__file__).resolve().parent / "golden"
TINY = GOLDEN / "model/deepseek_v3-s1"
TOKENIZER = GOLDEN / "text/deepseek-v3.tokenizer.json"
TEMPLATE = GOLDEN / "text/templates/deepseek-r1.jinja"
SPECIAL = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"]
TAGS = ["<think>", "</think>"]


def byte_alphabet():
    """The character that stands for each byte in a byte-level vocabulary (GPT-2)."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in kept]
    return {**{b: chr(b) for b in kept}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def make_tiny_r1(folder, template=False):
    """Writes the model; with R1's chat template if asked for. Returns the folder."""
    tokens = SPECIAL + TAGS + list(byte_alphabet().values())
    config = json.loads((TINY / "config.json").read_text())
    weights = safetensors.numpy.load_file(TINY / "model.safetensors")
    for name, tensor in weights.items():  # rows for the tokens that the model did not have
        if tensor.shape[:1] == (config["vocab_size"],):
            weights[name] = numpy.resize(tensor, (len(tokens), tensor.shape[1]))
    safetensors.numpy.save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": len(tokens)}))
    added = [{"id": i, "content": token, "special": token in SPECIAL, "single_word": False,
              "lstrip": False, "rstrip": False, "normalized": False}
             for i, token in enumerate(SPECIAL + TAGS)]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": added, "normalizer": None,
        "pre_tokenizer": json.loads(TOKENIZER.read_text())["pre_tokenizer"],
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)}, "merges": []}}))
    source = {"chat_template": TEMPLATE.read_text()} if template else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], **source}))
    return folder
