#!/usr/bin/env python3
"""Writes src/text/unicode_data.inl: which code points are letters, marks, numbers, punctuation,
symbols and white space, as the regexes of Hugging Face tokenizers see them (Unicode 16). Asked of
the `tokenizers` package itself, so that our cutting of text equals what the models were trained on.

    python3 tools/golden/text_unicode.py > src/text/unicode_data.inl
"""

import tokenizers
from tokenizers import Regex, pre_tokenizers

CLASSES = [  # regex, name of the class in src/text/unicode.hpp
    (r"\p{L}", 1),
    (r"\p{N}", 2),
    (r"\p{P}", 4),
    (r"\p{S}", 8),
    (r"\p{M}", 16),
    (r"\s", 32),
    (r"[\r\n]", 64),
]
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def members(regex):
    """All code points that the regex matches: those which a splitter that drops matches drops."""
    splitter = pre_tokenizers.Split(Regex(regex), "removed")
    found = set()
    for start in range(0, len(CODE_POINTS), 4096):
        chunk = CODE_POINTS[start : start + 4096]
        kept = splitter.pre_tokenize_str("".join(map(chr, chunk)))
        kept = {ord(c) for piece, _ in kept for c in piece}
        found.update(c for c in chunk if c not in kept)
    return found


def main():
    masks = dict.fromkeys(CODE_POINTS, 0)
    for regex, bit in CLASSES:
        for code in members(regex):
            masks[code] |= bit
    ranges = []
    for code in CODE_POINTS:
        mask = masks[code]
        if ranges and ranges[-1][2] == mask and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, mask])
    ranges = [r for r in ranges if r[2]]
    print("// Written by tools/golden/text_unicode.py with tokenizers", tokenizers.__version__ + ".")
    print("// First and last code point, classes of text/unicode.hpp.")
    print("// clang-format off")
    line = ""
    for first, last, mask in ranges:
        item = f"{{{first:#x},{last:#x},{mask}}},"
        if len(line) + len(item) > 100:
            print(line)
            line = ""
        line += item
    print(line)


if __name__ == "__main__":
    main()
