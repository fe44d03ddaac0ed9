#!/usr/bin/env python3
"""Writes src/data/text/english_words.inl and tests/golden/data/english_words.json: the classes of characters and the fixed words by which spaCy's
English tokenizer (https://spacy.io, MIT licence) cuts text, and the sets of punctuation that datatrove's
filters name. Run with a Python that has both: build/venv-peer-data/bin/python (see tests/parity/data_peer.py).
"""
import json
import random
import re
import sys
from pathlib import Path

import spacy
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION
from spacy.lang import char_classes as cc
from spacy.pipeline.sentencizer import Sentencizer

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 98


def char_set(inside):
    pattern = re.compile("[" + inside + "]")
    return lambda char: pattern.fullmatch(char) is not None


def single(search):
    """Whether the character alone is what this search finds."""
    return lambda char: (found := search(char)) is not None and found.end() - found.start() == 1


def classes():
    """Name → predicate, in the order of the bits of WordClass (src/data/text/english_words.cpp)."""
    tokenizer = spacy.blank("en").tokenizer
    before_period = r"0-9{al}%²\-\+{p}(?:{q})".format(al=cc.ALPHA_LOWER, p=cc.PUNCT, q=cc.CONCAT_QUOTES)
    icon = char_set(cc.CONCAT_ICONS)
    currency = {mark for mark in cc._currency.replace("\\", "").split() if len(mark) == 1}
    return {
        "prefix": single(tokenizer.prefix_search),
        "suffix": single(tokenizer.suffix_search),
        "alpha": char_set(cc.ALPHA),
        "lower": char_set(cc.ALPHA_LOWER),
        "upper": char_set(cc.ALPHA_UPPER),
        "infix": lambda char: char == "…" or icon(char),
        "quote": char_set(cc.CONCAT_QUOTES),
        "before_period": char_set(before_period),
        "currency": currency.__contains__,
        "sentence_end": set(Sentencizer.default_punct_chars).__contains__,
        "punctuation": PUNCTUATION_SET.__contains__,
        "terminal": TERMINAL_PUNCTUATION.__contains__,
    }


def runs():
    tests = list(classes().values())
    start, mask = 0, 0
    for code in range(0x110000 + 1):
        char = chr(code) if code < 0x110000 else ""
        now = sum(1 << bit for bit, test in enumerate(tests) if char and test(char))
        if now != mask:
            if mask:
                yield start, code - 1, mask
            start, mask = code, now


def wrapped(pieces, separator):
    line = ""
    for piece in pieces:
        if len(line) + len(separator) + len(piece) > WIDTH:
            yield line
            line = ""
        line += (separator if line else "") + piece
    if line:
        yield line


def special_words():
    """Each fixed word; where it is cut, the byte offsets behind it: "cannot/3"."""
    for word, pieces in sorted(spacy.blank("en").tokenizer.rules.items()):
        if word.isspace():
            continue
        cuts, length = [], 0
        for piece in pieces[:-1]:
            length += len(next(iter(piece[key] for key in piece if key in (65, "ORTH"))).encode())
            cuts.append(str(length))
        yield "\t".join([word, *cuts])


def golden(count=400):
    """Texts of pieces that the rules treat in different ways, with spaCy's words and number of sentences."""
    sys.path.insert(0, str(ROOT / "tests/parity"))
    from data_corpus import MARKS
    from datatrove.utils.word_tokenizers import load_word_tokenizer
    tokenizer = load_word_tokenizer("en")
    pieces = MARKS[:-1] + "The cat sat. On 5 mats? No! (Yes) a:b x-y ,;: ' \" … . .. $ £5 km² 7km² 3+4 a+b !? -".split()
    random_ = random.Random(7)
    for _ in range(count):
        parts = random_.choices(pieces, k=random_.randrange(1, 9))
        text = "".join(part + random_.choice(["", " ", " ", "  ", "\n"]) for part in parts)
        sentences = len(tokenizer.span_tokenize(text)) if text else 0
        yield {"text": text, "words": tokenizer.word_tokenize(text), "sentences": sentences}


def main():
    lines = (json.dumps(case, ensure_ascii=True) for case in golden())
    (ROOT / "tests/golden/data/english_words.json").write_text("[" + ",\n".join(lines) + "]\n")
    out = ["// Made by tools/golden/english_words.py; do not edit.", "// clang-format off", "",
           "// {first, last, bits of WordClass}", "constexpr ClassRun kClassRuns[] = {"]
    out += wrapped((f"{{{first:#x},{last:#x},{mask:#x}}}," for first, last, mask in runs()), "")
    out += ["};", "", "// Words, one after the other; numbers: where the word before them is cut (bytes).",
            "constexpr std::string_view kSpecialWords = R\"~("]
    out += wrapped(special_words(), " ")
    out += [")~\";", ""]
    (ROOT / "src/data/text/english_words.inl").write_text("\n".join(out))


if __name__ == "__main__":
    sys.exit(main())
