#!/usr/bin/env python3
"""Writes tests/golden/text/mixed.txt, 60 KB of text of all kinds, and mixed.json: how many tokens
and pieces `tokenizers` makes of it with each of the small tokenizers there, and their hashes. Also
writes deepseek-llm.tokenizer.json, the small vocabulary with the pre-tokenizer of DeepSeek-LLM.

    python3 tools/golden/text_tokens.py
"""

import json
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/text"
sys.path.insert(0, str(ROOT / "tests/parity"))

from mixed_text import mixed_text  # noqa: E402

# The cased letters of Unicode at the time, as DeepSeek's tokenizer.json lists them.
LLM_LETTERS = (
    "41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376-377 37b-37d "
    "37f 386 388-38a 38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 "
    "13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d "
    "1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe "
    "1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 "
    "210a-2113 2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f "
    "2145-2149 214e 2183-2184 2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2-2cf3 a640-a66d "
    "a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a "
    "ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df "
    "1e900-1e943 "
)


def letter_set():
    """[A-Za-zµ…]: a dash only where it leaves something out."""
    text = ""
    for item in LLM_LETTERS.split():
        first, _, last = item.partition("-")
        first, last = int(first, 16), int(last or first, 16)
        text += chr(first) + ("-" if last > first + 1 else "") + (chr(last) if last > first else "")
    return "[" + text + "]"


LLM_REGEXES = ["[\r\n]", r"\s?" + letter_set() + "+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", "[一-龥ࠀ-一가-퟿]+"]


def write_deepseek_llm():
    tokenizer = json.loads((GOLDEN / "deepseek-v3.tokenizer.json").read_text(encoding="utf-8"))
    split = {"type": "Split", "behavior": "Isolated", "invert": False}
    steps = [split | {"pattern": {"Regex": regex}} for regex in LLM_REGEXES]
    steps.append({"type": "Digits", "individual_digits": True})
    steps.append({"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                  "use_regex": False})
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (GOLDEN / "deepseek-llm.tokenizer.json").write_text(text + "\n", encoding="utf-8")


def hash64(data):
    """FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def main():
    write_deepseek_llm()
    text = mixed_text(60_000, seed=3)
    (GOLDEN / "mixed.txt").write_bytes(text.encode())
    results = {}
    for path in sorted(GOLDEN.glob("*.tokenizer.json")):
        tokenizer = Tokenizer.from_file(str(path))
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        normalizer = tokenizer.normalizer
        pieces = tokenizer.pre_tokenizer.pre_tokenize_str(
            normalizer.normalize_str(text) if normalizer else text)
        results[path.name.split(".tok")[0]] = {
            "tokens": len(ids),
            "tokens_hash": str(hash64(struct.pack(f"<{len(ids)}i", *ids))),
            "pieces": len(pieces),
        }
    (GOLDEN / "mixed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
