"""The OpenAPI document against the server that publishes it: what is answered is what is written there."""
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from serving import Web

TOOL = {"name": "weather", "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"enum": ["Bern", "Oslo"]}}, "required": ["city"]}}
CHAT_TOOL = {"type": "function", "function": TOOL}
MESSAGE_TOOL = {"name": TOOL["name"], "input_schema": TOOL["parameters"]}
HI = [{"role": "user", "content": "Hi"}]
ANSWERED = [
    ("POST", "/v1/chat/completions", {"messages": HI, "max_tokens": 4, "n": 2, "logprobs": True, "top_logprobs": 3}),
    ("POST", "/v1/chat/completions", {"messages": HI, "max_tokens": 40, "tools": [CHAT_TOOL], "tool_choice": "required"}),
    ("POST", "/v1/chat/completions", {"messages": HI, "max_tokens": 12, "model": "tiny", "max_thinking_tokens": 3,
                                      "logprobs": True}),
    ("POST", "/v1/completions", {"prompt": ["a", "b"], "max_tokens": 4, "logprobs": 2, "echo": True}),
    ("POST", "/v1/completions", {"prompt": "a", "max_tokens": 0}),
    ("POST", "/v1/embeddings", {"input": ["a", "b"]}),
    ("POST", "/v1/embeddings", {"input": "a", "encoding_format": "base64"}),
    ("POST", "/v1/responses", {"input": "Hi", "max_output_tokens": 4, "include": ["message.output_text.logprobs"],
                               "instructions": "Be brief.", "user": "me", "reasoning": {"effort": "low"}}),
    ("POST", "/v1/responses", {"input": "Hi", "max_output_tokens": 40, "tools": [{"type": "function", **TOOL}],
                               "tool_choice": {"type": "function", "name": "weather"}}),
    ("POST", "/v1/responses", {"input": "Hi", "max_output_tokens": 12, "model": "tiny"}),
    ("POST", "/v1/messages", {"messages": HI, "max_tokens": 4, "stop_sequences": ["e", "o"]}),
    ("POST", "/v1/messages", {"messages": HI, "max_tokens": 40, "tools": [MESSAGE_TOOL], "tool_choice": {"type": "any"}}),
    ("POST", "/v1/messages", {"messages": HI, "max_tokens": 12, "model": "tiny",
                              "thinking": {"type": "enabled", "budget_tokens": 4}}),
    ("POST", "/v1/messages/count_tokens", {"messages": HI}),
    ("POST", "/tokenize", {"content": "a🙂", "with_pieces": True}),
    ("POST", "/tokenize", {"content": "a🙂"}),
    ("POST", "/detokenize", {"tokens": [1, 2]}),
    ("POST", "/apply-template", {"messages": HI}),
    ("GET", "/health", None), ("GET", "/ready", None), ("GET", "/v1/models", None), ("GET", "/openapi.json", None),
    # What is refused.
    ("POST", "/v1/chat/completions", {"messages": []}),
    ("POST", "/v1/chat/completions", {"messages": HI, "model": "none"}),
    ("POST", "/v1/messages", {"messages": HI}),
    ("POST", "/v1/messages", {"messages": HI, "max_tokens": 1, "model": "none"}),
    ("POST", "/v1/prefixes", {"name": "a", "prompt": "b"}),
    ("GET", "/v1/models/none", None), ("GET", "/v1/responses/none", None), ("DELETE", "/v1/responses/none", None),
]


def described(document, method, path, answer):
    """Checks an answer against what the document says of its route and status."""
    path = next(known for known in document["paths"]
                if known == path or (known.endswith("{id}") and path.startswith(known[:-4]) and known[:-4] != path))
    responses = document["paths"][path][method.lower()]["responses"]
    assert str(answer.status) in responses, (path, answer.status, answer.body)
    content = responses[str(answer.status)]["content"]
    kind = answer.headers["Content-Type"].split(";")[0]
    assert kind in content, (path, kind)
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)


@pytest.mark.parametrize("method,path,body", ANSWERED)
def test_answers_are_what_is_described(web, thinker, method, path, body):
    answer = web.send(method, path, body)
    described(web.get("/openapi.json").json, method, path, answer)


def test_a_stored_response_is_what_is_described(web, thinker):
    document = web.get("/openapi.json").json
    path = "/v1/responses/" + web.post("/v1/responses", {"input": "Hi", "max_output_tokens": 2}).json["id"]
    for method in ("GET", "DELETE", "GET"):
        described(document, method, path, web.send(method, path))


def test_the_servers_own_refusals_are_what_is_described(own_server, tiny_r1, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("a-secret-key rpm=1\n")
    web = Web(own_server("-m", tiny_r1, "--api-keys", keys).url)
    document = web.get("/openapi.json").json
    for path in document["paths"]:
        for method in document["paths"][path]:
            if path in ("/health", "/ready", "/openapi.json"):
                continue
            target, body = path.replace("{id}", "a"), {} if method == "post" else None
            for headers, status in (({}, 401), ({"Authorization": "Bearer a-secret-key"}, 429)):
                answer = web.send(method.upper(), target, body, headers=headers)
                if status == 429 and answer.status != 429:  # the one request of this minute
                    answer = web.send(method.upper(), target, body, headers=headers)
                assert answer.status == status, answer.body
                described(document, method, target, answer)


def test_every_schema_that_is_named_is_there_and_a_schema(web):
    document = web.get("/openapi.json").json
    named = set(json.dumps(document).split('"$ref": "#/components/schemas/')[1:])
    assert {part.split('"')[0] for part in named} <= set(document["components"]["schemas"])
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_schemathesis_finds_nothing(own_server, tiny_r1, tmp_path):
    """Requests made from the document, right and wrong ones, the same in every run: no 5xx, and every answer has a
    status, a type and a form that the document knows."""
    server = own_server("-m", f"tiny={tiny_r1}", "--ctx", 512, "--parallel", 8, "--prefix-folder", tmp_path / "prefixes")
    config = tmp_path / "schemathesis.toml"
    config.write_text("")
    tool = Path(sys.executable).parent / "schemathesis"
    run = subprocess.run(
        [tool, "--config-file", config, "run", server.url + "/openapi.json", "--phases", "fuzzing",
         "--max-examples", "15", "--generation-deterministic", "--no-color",
         "--continue-on-failure", "--request-timeout", "60", "--warnings", "off",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
         "negative_data_rejection,unsupported_method,allow_header_conformance"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
    assert server.process.poll() is None
