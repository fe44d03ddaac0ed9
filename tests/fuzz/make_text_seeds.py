#!/usr/bin/env python3
"""Writes the seeds of the tokenizer and template targets from tests/golden/text, and answers."""
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


# Two bytes of options, then text; bytes from 128 on are pieces of answer_fuzz.cpp.
ANSWERS = {
    "thoughts": b"\x0e\x00I see.\n</think>\n\n42 `<think>` and\n<think>more</think>\n",
    "tags": b"\x0f\x03hm \x80 hm\x81\n\n42 `\x80` </think>\x81 \x80again\x81.",
    "hermes": b"\x20\x00Look:\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}"
              b"\n</tool_call>\n<tool_call>{\"arguments\":{},\"name\":\"f\",\"x\":2}</tool_call>stop",
    "deepseek": b"\x95\x0bhm\x81\n\x86\x87\x95\x88f\x93\"a\":1}\x94\x89\n\x87f\x88{}\x89\x8a.\n\nstop",
    "llama3": b"\x30\x00\x82{\"type\": \"function\", \"name\": \"f\", \"parameters\": {\"a\": 1}}; "
              b"{\"name\": \"f\", \"parameters\": {}}",
}

GRAMMARS = {  # the first character of a seed says what it is: 0 a schema, 1 a regex, 2 a grammar
    "0object": '{"type":"object","properties":{"a":{"type":"string","maxLength":3},"b":{"enum":[1,"x"]}},'
               '"required":["a"],"additionalProperties":{"type":"boolean"}}',
    "0tree": '{"$ref":"#/$defs/t","$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"},"maxItems":2}}}',
    "0merge": '{"allOf":[{"type":"integer","minimum":3},{"maximum":40,"multipleOf":7}]}',
    "0tuple": '{"prefixItems":[{"const":null},{"type":"number","exclusiveMinimum":-1.5}],"minItems":1}',
    "0text": '{"anyOf":[{"type":"string","pattern":"^[a-c]+\\\\d{2}$"},{"format":"date-time"}]}',
    "1regex": "(?:[a-z]{1,3}|\\d+\\.)*[^\\w]é?",
    "2grammar": 'root ::= term ("+" term)*\n# sums\nterm ::= [0-9]+ | "(" root ")"\n',
}


def main():
    (CORPUS / "answer").mkdir(parents=True, exist_ok=True)
    for name, data in ANSWERS.items():
        (CORPUS / "answer" / name).write_bytes(data)
    for folder in ("tokenizer", "template", "grammar"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for source in sorted(GOLDEN.glob("*.tokenizer.json")):
        shrink(source, CORPUS / "tokenizer" / source.name)
    for source in sorted((GOLDEN / "templates").glob("*.jinja")):
        shutil.copy(source, CORPUS / "template" / source.name)
    for name, text in GRAMMARS.items():
        (CORPUS / "grammar" / name[1:]).write_text(name[0] + text, encoding="utf-8")


main()
