"""Requests that are wrong, in all the ways that the OpenAPI document lets one think of: the answer is a
clean 4xx that names the field, never a 5xx."""
import copy
import json

import pytest

GOOD = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1},
    "/v1/completions": {"prompt": "Hi", "max_tokens": 1},
    "/v1/embeddings": {"input": "Hi"},
    "/v1/responses": {"input": "Hi", "max_output_tokens": 1},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "Hi"}]},
    "/tokenize": {"content": "Hi"},
    "/detokenize": {"tokens": [1]},
    "/apply-template": {"messages": [{"role": "user", "content": "Hi"}]},
}
ROUTES = list(GOOD)
VALUES = [None, True, False, 0, -1, 1, 0.5, -1e300, 1e300, 10**6, 10**18, -10**18, 2**64, "", "text", "\x00", "🙂" * 300,
          [], [[]], [{}], [1, "a", None], ["x" * 5000], {}, {"type": "text"}, {"type": []}, {"a": {"b": [1]}}]


def form_is_clean(path, answer):
    error = answer.error
    assert isinstance(error["message"], str) and error["message"]
    if path.startswith("/v1/messages"):
        assert answer.json["type"] == "error" and isinstance(error["type"], str)
    else:
        assert set(error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ROUTES)
def test_good_requests_are_good(web, path):
    assert web.post(path, GOOD[path]).status == 200


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"nonsense", b"[]", b"null", b'"a"', b"5", b'{"a": 1', b'{"a": 1}}', b'{"a": 1, "a": 2}', b"\xff\xfe",
    b'{"model": "\xff"}', b'{"model": "\\ud800"}', b'{"temperature": 1e999999}', b'{"temperature": NaN}',
    b'{"temperature": Infinity}', b'{"temperature": -}', b"[" * 100_000, b'{"a":' * 100_000, b"{'a': 1}", b"\xef\xbb\xbf{}",
    b'{"messages": [{"role": "user", "content": "' + b"a" * 100])
def test_bodies_that_are_no_json(web, path, body):
    answer = web.post(path, body, headers={"Content-Type": "application/json"})
    assert answer.status == 400, answer.body
    form_is_clean(path, answer)


def test_deep_but_valid_json(web):
    deep = "[" * 5000 + "]" * 5000
    answer = web.post("/v1/chat/completions", '{"messages": [{"role": "user", "content": "Hi"}], "extra": ' + deep + "}")
    assert answer.status == 400 and "nested" in answer.error["message"]


def schemas_of(web):
    document = web.get("/openapi.json").json
    for path in ROUTES:
        reference = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        yield path, document["components"]["schemas"][reference.rsplit("/", 1)[1]]


def test_every_field_with_every_kind_of_value(web):
    for path, schema in schemas_of(web):
        for name in schema["properties"]:
            if name in ("stream", "n", "best_of"):
                continue  # answered by other tests: many values are right and long
            for value in VALUES:
                body = {**GOOD[path], name: value}
                answer = web.post(path, body)
                assert answer.status in (200, 400, 404), (path, name, value, answer.body)
                if answer.status != 200:
                    form_is_clean(path, answer)


def test_fields_of_other_routes_are_ignored(web):
    schemas = dict(schemas_of(web))
    every = {name for schema in schemas.values() for name in schema["properties"]}
    for path, schema in schemas.items():
        others = sorted(every - set(schema["properties"]))
        for value in ("text", -5, ["a"], {"type": "json_schema"}, {"format": {"type": "json_schema"}}):
            answer = web.post(path, {**GOOD[path], **{name: value for name in others}})
            assert answer.status == 200, (path, value, answer.body)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_every_part_of_messages_with_every_kind_of_value(web, path):
    key = "input" if path == "/v1/responses" else "messages"
    whole = {"role": "assistant", "content": [{"type": "text", "text": "a"}], "name": "a", "tool_call_id": "a",
             "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}

    def places(value, place=()):
        yield place
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for inner, item in items:
            yield from places(item, (*place, inner))

    for place in places(whole):
        for value in VALUES:
            messages = [{"role": "user", "content": "Hi"}, copy.deepcopy(whole)]
            target, way = messages, (1, *place)
            for step in way[:-1]:
                target = target[step]
            target[way[-1]] = value
            answer = web.post(path, {**GOOD[path], key: messages})
            assert answer.status in (200, 400), (path, way, value, answer.body)


@pytest.mark.parametrize("fields,param", [
    ({"messages": []}, "messages"), ({"messages": "Hi"}, "messages"), ({"messages": [5]}, "messages[0]"),
    ({"messages": [{"content": "a"}]}, "messages[0].role"), ({"messages": [{"role": 5, "content": "a"}]}, "messages[0].role"),
    ({"messages": [{"role": "robot", "content": "a"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
     "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio", "text": "x"}]}]}, "messages[0].content[0].type"),
    ({"temperature": -0.1}, "temperature"), ({"temperature": 2.1}, "temperature"), ({"temperature": "1"}, "temperature"),
    ({"top_p": -0.1}, "top_p"), ({"top_p": 1.1}, "top_p"), ({"top_k": 1.5}, "top_k"), ({"min_p": 2}, "min_p"),
    ({"top_logprobs": 21, "logprobs": True}, "top_logprobs"), ({"top_logprobs": -1}, "top_logprobs"),
    ({"top_logprobs": 2}, "top_logprobs"), ({"logprobs": 1}, "logprobs"), ({"stop": 5}, "stop"), ({"stop": ["a"] * 17}, "stop"),
    ({"stop": [5]}, "stop[0]"), ({"stop": ""}, "stop"), ({"stop": {}}, "stop"), ({"n": 0}, "n"), ({"n": 10**6}, "n"),
    ({"n": "2"}, "n"), ({"max_tokens": -2}, "max_tokens"), ({"max_tokens": 1.5}, "max_tokens"),
    ({"max_tokens": "9"}, "max_tokens"), ({"seed": "a"}, "seed"), ({"seed": 1e30}, "seed"), ({"seed": 0.5}, "seed"),
    ({"logit_bias": {"a": 1}}, "logit_bias"), ({"logit_bias": {"1": 101}}, "logit_bias.1"),
    ({"logit_bias": {"999999999": 1}}, "logit_bias"), ({"logit_bias": []}, "logit_bias"),
    ({"presence_penalty": 3}, "presence_penalty"), ({"repetition_penalty": 0}, "repetition_penalty"),
    ({"stream": 1}, "stream"), ({"stream_options": 1}, "stream_options"), ({"model": 5}, "model"), ({"model": ""}, "model"),
    ({"user": 5}, "user"), ({"priority": 10**9}, "priority"), ({"modalities": ["audio"]}, "modalities[0]"),
    ({"best_of": 1, "n": 2}, "best_of"), ({"parallel_tool_calls": "no"}, "parallel_tool_calls")])
def test_the_error_names_the_field(web, fields, param):
    answer = web.chat(**fields)
    assert answer.status == 400 and answer.error["type"] == "invalid_request_error", answer.body
    assert answer.error["param"] == param and param.split(".")[0].split("[")[0] in answer.error["message"]


@pytest.mark.parametrize("fields", [{"unknown": {"deep": [1]}}, {"temperature": None}, {"stop": None}, {"tools": None},
                                    {"max_tokens": 1.0}, {"seed": -5}, {"seed": 2**63}, {"n": 1, "user": "me"},
                                    {"metadata": {"a": 1}}, {"logit_bias": {}}])
def test_what_is_fine(web, fields):
    assert web.chat(**{"max_tokens": 1, **fields}).status == 200


@pytest.mark.parametrize("depth", [20_000, 90])
def test_absurd_schemas(web, depth):
    schema = json.loads('{"a":0}')
    text = '{"type":"array","items":' * depth + "{}" + "}" * depth
    body = ('{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, "response_format": {"type": "json_schema", '
            '"json_schema": {"name": "a", "schema": ' + text + "}}}")
    assert schema and web.post("/v1/chat/completions", body).status == 400


def test_a_message_of_many_megabytes(web):
    answer = web.chat("a " * (4 << 20))
    assert answer.status == 400 and answer.error["code"] == "context_length_exceeded"


def test_many_messages_and_tools(web):
    answer = web.chat(messages=[{"role": "user", "content": "a"}] * 20_000)
    assert answer.status == 400 and answer.error["param"] == "messages"
    tool = {"type": "function", "function": {"name": "f"}}
    assert web.chat(tools=[tool] * 200).status == 400


@pytest.mark.parametrize("method,path,status", [
    ("GET", "/v1/chat/completions", 405), ("PUT", "/v1/models", 405), ("DELETE", "/health", 405), ("GET", "/nothing", 404),
    ("POST", "/nothing", 404), ("GET", "/v1", 404), ("GET", "/v1/models/", 200), ("GET", "/models", 200),
    ("GET", "/v1/models/none", 404), ("GET", "/v1/models/a/b", 404), ("GET", "/v1/responses/none", 404),
    ("GET", "/assets/../../etc/passwd", 400), ("GET", "/..%2f..%2fetc/passwd", 400)])
def test_paths(web, method, path, status):
    answer = web.send(method, path)
    assert answer.status == status, answer.body
    if status == 405:
        assert answer.headers["Allow"]
