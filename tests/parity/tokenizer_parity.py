#!/usr/bin/env python3
"""Tokens of a megabyte of mixed text: ponder against the `tokenizers` package with a DeepSeek-V3
tokenizer.json, and against llama.cpp with GGUF files.

    python3 tests/parity/tokenizer_parity.py --ponder build/release/ponder \
        --json deepseek-v3-tokenizer/tokenizer.json --gguf r1-distill-qwen-7b.gguf

Needs tokenizers (0.23 or newer: its Unicode is ours) and, for --gguf, llama-cpp-python. A GGUF file
that was cut behind its metadata will do.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

from mixed_text import mixed_text


def ponder_tokens(ponder, model, text):
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as file:
        file.write(text.encode())
        file.flush()
        command = [ponder, "tokenize", "-m", model, "--file", file.name, "--json", "--no-pieces",
                   "--no-special"]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)["tokens"]


def tokenizers_tokens(model, text):
    from tokenizers import Tokenizer

    return Tokenizer.from_file(model).encode(text, add_special_tokens=False).ids


def llama_tokens(model, text):
    """llama.cpp refuses a file without its tensors' data, so it gets one that has no tensors."""
    import llama_cpp

    content = bytearray(Path(model).read_bytes()[: 64 << 20])
    content[8:16] = bytes(8)  # tensor_count
    with tempfile.NamedTemporaryFile("wb", suffix=".gguf") as file:
        file.write(content)
        file.flush()
        vocabulary = llama_cpp.Llama(file.name, vocab_only=True, verbose=False)
    return vocabulary.tokenize(text.encode(), add_bos=False, special=True)


def compare(name, ours, theirs):
    if ours == theirs:
        print(f"{name}: {len(ours)} tokens, all equal")
        return True
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
              min(len(ours), len(theirs)))
    print(f"{name}: differs at token {at}: ponder {ours[at:at + 8]}, peer {theirs[at:at + 8]}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ponder", default="build/release/ponder")
    parser.add_argument("--json", action="append", default=[], help="tokenizer.json")
    parser.add_argument("--gguf", action="append", default=[], help="GGUF file")
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    special = "<｜User｜>a<think>b</think>c<｜end▁of▁sentence｜><|im_end|> <|endoftext|>"
    text = mixed_text(arguments.bytes, arguments.seed) + special
    # llama.cpp does not normalise, which Qwen 2 does; nothing changes in text that is NFC already.
    normal = unicodedata.normalize("NFC", text)
    equal = [compare(f"tokenizers, {m}", ponder_tokens(arguments.ponder, m, text),
                     tokenizers_tokens(m, text)) for m in arguments.json]
    equal += [compare(f"llama.cpp, {m}", ponder_tokens(arguments.ponder, m, normal),
                      llama_tokens(m, normal)) for m in arguments.gguf]
    sys.exit(0 if equal and all(equal) else 1)


if __name__ == "__main__":
    main()
