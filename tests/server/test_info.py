"""What a server tells about itself and its models; embeddings; tokens."""
import base64
import json
import struct

import pytest

from serving import together


def test_health_and_ready(web):
    assert web.get("/health").json == {"status": "ok"}
    answer = web.get("/ready")
    assert answer.status == 200 and answer.json["status"] == "ready"


def test_models(client, model):
    listed = client.models.list().data
    assert listed[0].id == model and listed[0].object == "model" and listed[0].owned_by
    assert client.models.retrieve(model).id == model


def test_models_tell_their_context(web, model):
    entry = web.get(f"/v1/models/{model}").json
    assert entry["max_model_len"] == entry["meta"]["n_ctx"] > 0 and entry["memory_bytes"] > 0
    assert entry["state"] == "loaded"


def test_metrics_count_the_requests(web, model):
    names = ("ponder_prompt_tokens_total", "ponder_generated_tokens_total", "ponder_requests_total",
             "ponder_answers_total", "ponder_time_to_first_token_seconds_count")
    web.until(lambda: web.metric("ponder_requests_running", model=model) == 0)
    before = [web.metric(name, model=model) for name in names]
    usages = [answer.json["usage"] for answer in together(*(lambda i=i: web.chat(f"Number {i}.", max_tokens=3 + i)
                                                            for i in range(4)))]
    sums = [sum(usage["prompt_tokens"] for usage in usages), sum(usage["completion_tokens"] for usage in usages), 4, 4, 4]
    web.until(lambda: web.metric("ponder_requests_running", model=model) == 0)
    assert [web.metric(name, model=model) - old for name, old in zip(names, before)] == sums


def test_metrics_have_help_and_types(web):
    lines = web.get("/metrics").body.decode().splitlines()
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    assert named == helped and {"ponder_kv_pages", "ponder_requests_waiting"} <= named
    for line in lines:
        if not line.startswith("#"):
            assert float(line.rsplit(" ", 1)[1]) >= 0, line


def test_the_openapi_document(web):
    document = web.get("/openapi.json").json
    assert document["openapi"].startswith("3.1") and "/v1/chat/completions" in document["paths"]
    text = json.dumps(document)
    for reference in set(text.split('"$ref": "#/components/schemas/')[1:]):
        assert reference.split('"')[0] in document["components"]["schemas"]
    assert "x-mend" not in text and "x-include" not in text


def test_tokens_there_and_back(web):
    text = "Hello, 世界 🙂 <|im_end|>"
    answer = web.post("/tokenize", {"content": text}).json
    assert answer["count"] == len(answer["tokens"])
    assert web.post("/detokenize", {"tokens": answer["tokens"]}).json["content"] == text
    plain = web.post("/tokenize", {"prompt": text, "parse_special": False}).json["tokens"]
    assert len(plain) > len(answer["tokens"])


def test_pieces_of_tokens(web):
    pieces = web.post("/tokenize", {"content": "a🙂", "with_pieces": True}).json["tokens"]
    data = b"".join(piece["piece"].encode() if isinstance(piece["piece"], str) else bytes(piece["piece"]) for piece in pieces)
    assert data.decode() == "a🙂"


def test_the_prompt_of_a_conversation(web):
    messages = [{"role": "user", "content": "Hi"}]
    prompt = web.post("/apply-template", {"messages": messages}).json["prompt"]
    assert "Hi" in prompt
    count = web.post("/tokenize", {"content": prompt}).json["count"]
    assert count == web.chat("Hi", max_tokens=1).json["usage"]["prompt_tokens"]


def test_embeddings(client, model):
    answer = client.embeddings.create(model=model, input=["A cat.", "A cat.", "Steel prices rose."])
    one, same, other = (entry.embedding for entry in answer.data)
    assert [entry.index for entry in answer.data] == [0, 1, 2]
    assert one == same != other and abs(sum(x * x for x in one) - 1) < 1e-3
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0


def test_forms_of_embeddings(web):
    plain = web.post("/v1/embeddings", {"input": "A cat."})
    assert "x-ponder-warning" in plain.headers and plain.json["warning"]
    vector = plain.json["data"][0]["embedding"]
    packed = web.post("/v1/embeddings", {"input": "A cat.", "encoding_format": "base64"}).json["data"][0]["embedding"]
    assert list(struct.unpack(f"<{len(vector)}f", base64.b64decode(packed))) == pytest.approx(vector, abs=1e-6)
    mean = web.post("/v1/embeddings", {"input": "A cat.", "pooling": "mean"}).json["data"][0]["embedding"]
    assert mean != vector
    ids = web.post("/tokenize", {"content": "A cat."}).json["tokens"]
    assert web.post("/v1/embeddings", {"input": ids}).json["data"][0]["embedding"] == vector
    assert web.post("/v1/embeddings", {"input": [ids, "A cat."]}).json["data"][1]["embedding"] == vector
    assert web.post("/v1/embeddings", {"input": "A cat.", "dimensions": len(vector)}).status == 200


@pytest.mark.parametrize("fields,param", [
    ({"input": ""}, "input"), ({"input": []}, "input"), ({"input": [""]}, "input[0]"), ({"input": 5}, "input"),
    ({"dimensions": 7}, "dimensions"), ({"encoding_format": "hex"}, "encoding_format"), ({"pooling": "max"}, "pooling"),
    ({"input": "word " * 40000}, "input"), ({"input": [2_000_000_000]}, "input")])
def test_embeddings_that_are_refused(web, fields, param):
    answer = web.post("/v1/embeddings", {"input": "a", **fields})
    assert answer.status == 400 and answer.error["param"] == param, answer.body


def test_pages(web):
    for path in ("/", "/status"):
        answer = web.get(path)
        assert answer.status == 200 and b"<html" in answer.body.lower()
