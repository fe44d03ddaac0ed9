"""What is written under a constraint satisfies it, as others see it: schemas by `jsonschema`, regular
expressions by `re`. The texts are drawn token by token from what is allowed, without a model."""
import json
import os
import re
import subprocess

import jsonschema
import pytest
import schema_corpus
from conftest import ROOT

TEXTS = 4
REGEXES = [r"[a-z]{3,8}@[a-z]+\.(com|org)", r"(\d{1,3}\.){3}\d{1,3}", r"\s*(foo|bar)+?\s*", r"[^\W\d]+",
           r"^(?:a|b(?:c|d)*)$", r"\u00e9\x41[\u4e00-\u9fff]{2}", r"(?P<y>\d{4})-(?P<m>0[1-9]|1[0-2])",
           r".{1,12}", r"[\s\S]{5}", r"\D\S\W", r"a{0}b{2}c{1,}", r"[-a\]\\^]{4}", r"x*|y+"]


@pytest.fixture(scope="module")
def constrain(coder_half_b):
    """Asks the test program about many sources at once."""
    program = os.environ.get("PONDER_CONSTRAIN") or ROOT / "build/release/constrain"

    def ask(sources):
        lines = "\n".join(json.dumps(source) for source in sources) + "\n"
        done = subprocess.run([str(program), str(coder_half_b)], input=lines, text=True,
                              capture_output=True, timeout=600)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(sources)
        return answers
    return ask


def test_schemas(constrain):
    corpus = list(schema_corpus.corpus())
    assert len(corpus) >= 400
    answers = constrain([{"kind": "json_schema", "text": json.dumps(schema), "count": TEXTS}
                         for _, schema in corpus])
    problems = []
    for (name, schema), answer in zip(corpus, answers):
        if "error" in answer:
            problems.append(f"{name}: {answer['error']}: {json.dumps(schema)}")
            continue
        validator = jsonschema.Draft202012Validator(schema)
        if isinstance(schema, dict) and isinstance(schema.get("items"), list):
            validator = jsonschema.Draft7Validator(schema)
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        assert set(schema_corpus.FORMATS) <= set(checker.checkers)
        validator = validator.evolve(format_checker=checker)
        for text in answer["texts"]:
            try:
                validator.validate(json.loads(text))
            except (ValueError, jsonschema.ValidationError) as failure:
                problems.append(f"{name}: {str(failure)[:300]}: {text[:300]}: {json.dumps(schema)}")
    assert not problems, f"{len(problems)}:\n" + "\n".join(problems[:20])


def test_every_draw_is_another_but_the_same_again(constrain):
    source = {"kind": "json_object", "count": 20, "seed": 7}
    first, again = constrain([source]), constrain([source])
    assert first == again
    assert len(set(first[0]["texts"])) > 5
    for text in first[0]["texts"]:
        assert isinstance(json.loads(text), dict)


def test_regexes(constrain):
    answers = constrain([{"kind": "regex", "text": regex, "count": 10} for regex in REGEXES])
    for regex, answer in zip(REGEXES, answers):
        for text in answer["texts"]:
            assert re.fullmatch(regex, text), (regex, text)


def test_choice(constrain):
    choices = ["yes", "no", "yes, but", "nö", "😀"]
    texts = constrain([{"kind": "choice", "choices": choices, "count": 60}])[0]["texts"]
    assert set(texts) == set(choices)


REFUSED = [
    ({"not": {"type": "string"}}, "#", "'not'"),
    ({"properties": {"a": {"uniqueItems": True}}}, "#/properties/a", "uniqueItems"),
    ({"properties": {"a/b": {"patternProperties": {}}}}, "#/properties/a~1b", "patternProperties"),
    ({"items": {"pattern": "(a)\\1"}}, "#/items/pattern", "offset 5"),
    ({"type": "string", "format": "color"}, "#", "'color'"),
    ({"$ref": "http://example.com/x"}, "#", "http://example.com/x"),
    ({"$ref": "#/$defs/no"}, "#", "no"),
    ({"$ref": "#"}, "#", "begins with itself"),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "", "no text"),
    ({"type": "number", "minimum": 3, "maximum": 2}, "", "no text"),
    ({"type": "string", "minLength": 5, "maxLength": 4}, "#", "minLength"),
    ({"type": "strin"}, "#", "type"),
    ({"allOf": [{"pattern": "a"}, {"pattern": "b"}]}, "#", "'pattern'"),
    ({"enum": []}, "#", "enum"),
    ({"anyOf": []}, "#", "anyOf"),
    (False, "#", "false"),
    ({"type": "array", "minItems": 10 ** 9}, "#", "minItems"),
    ({"type": "number", "multipleOf": 0.1}, "#", "multipleOf"),
]


@pytest.mark.parametrize("schema,place,word", REFUSED, ids=[word for _, _, word in REFUSED])
def test_what_is_refused_is_named(constrain, schema, place, word):
    error = constrain([{"kind": "json_schema", "text": json.dumps(schema)}])[0]["error"]
    assert word in error and place in error, error
