#!/usr/bin/env python3
"""datatrove's filters on a file of documents, one decision a line: {"id", "keep", "reason", "text"}.

Runs in an environment of its own, as datatrove brings spaCy and much more:
    python3 -m venv build/venv-peer-data
    build/venv-peer-data/bin/pip install datatrove==0.10.1 spacy==3.8.18 regex nltk 'xxhash<4' orjson zstandard tokenizers \
        tldextract pyahocorasick fasteners faust-cchardet
    build/venv-peer-data/bin/python tests/parity/data_peer.py PRESET IN.jsonl OUT.jsonl
"""
import json
import sys
import time

from datatrove.data import Document
from datatrove.pipeline.filters import (C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter,
                                        GopherQualityFilter, GopherRepetitionFilter)

PRESETS = {
    "gopher": lambda: [GopherQualityFilter(), GopherRepetitionFilter()],
    "c4": lambda: [C4QualityFilter()],
    "mc4": lambda: [C4ParagraphFilter()],
    "fineweb-datatrove": lambda: [GopherRepetitionFilter(), GopherQualityFilter(),
                                  C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter()],
    "fineweb-paper": lambda: [GopherRepetitionFilter(), GopherQualityFilter(),
                              C4QualityFilter(filter_no_terminal_punct=False),
                              FineWebQualityFilter(char_duplicates_ratio=0.1)],
}


def decide(filters, document):
    for rule in filters:
        answer = rule.filter(document)
        keep, reason = answer if isinstance(answer, tuple) else (answer, None)
        if not keep:
            return False, reason
    return True, None


def main():
    preset, source, target = sys.argv[1:4]
    filters = PRESETS[preset]()
    with open(source, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    decide(filters, Document(text="Warm up.", id="0"))  # loads the tokenizer
    answers, start = [], time.perf_counter()
    for record in records:
        document = Document(text=record["text"], id=record["id"])
        keep, reason = decide(filters, document)
        answers.append({"id": record["id"], "keep": keep, "reason": reason,
                        "text": document.text if keep else None})
    seconds = time.perf_counter() - start
    with open(target, "w", encoding="utf-8") as out:
        for answer in answers:
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    print(json.dumps({"seconds": seconds, "documents": len(records)}))


if __name__ == "__main__":
    main()
