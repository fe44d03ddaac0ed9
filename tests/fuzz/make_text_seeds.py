#!/usr/bin/env python3
"""Writes the seeds of the tokenizer and template targets from tests/golden/text."""
import json
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/text"
CORPUS = ROOT / "tests/fuzz/corpus"


def shrink(source, target):
    """All single bytes, the first merges and what they make, all added tokens at new ids."""
    tokenizer = json.loads(source.read_text(encoding="utf-8"))
    model = tokenizer["model"]
    model["merges"] = model["merges"][:12]
    kept = {text for text in model["vocab"] if len(text) == 1}
    kept.update("".join(m.split(" ") if isinstance(m, str) else m) for m in model["merges"])
    model["vocab"] = {text: i for i, text in enumerate(sorted(kept))}
    for i, token in enumerate(tokenizer["added_tokens"]):
        token["id"] = len(kept) + i
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text + "\0<think>Hello, 123 世界", encoding="utf-8")


def main():
    for folder in ("tokenizer", "template"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for source in sorted(GOLDEN.glob("*.tokenizer.json")):
        shrink(source, CORPUS / "tokenizer" / source.name)
    for source in sorted((GOLDEN / "templates").glob("*.jinja")):
        shutil.copy(source, CORPUS / "template" / source.name)


main()
