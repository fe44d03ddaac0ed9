"""Streams of chat completions."""
import pytest

HELLO = [{"role": "user", "content": "Say hello."}]


def test_the_form_of_a_stream(web):
    answer = web.chat(stream=True)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    events = answer.events()
    for key in ("id", "created", "model", "object"):
        assert len({event[key] for event in events}) == 1, key
    assert events[0]["object"] == "chat.completion.chunk"
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0]["role"] == "assistant" and not any("role" in delta for delta in deltas[1:])
    reasons = [event["choices"][0]["finish_reason"] for event in events]
    assert reasons[:-1] == [None] * (len(reasons) - 1) and reasons[-1] == "length"
    assert deltas[-1] == {} and not any("usage" in event for event in events)


def test_a_stream_says_what_the_whole_says(web):
    whole = web.chat("Write two lines with 世界 and 🙂.", max_tokens=30).json["choices"][0]["message"]["content"]
    events = web.chat("Write two lines with 世界 and 🙂.", max_tokens=30, stream=True).events()
    pieces = [event["choices"][0]["delta"].get("content", "") for event in events]
    assert "".join(pieces) == whole and not any("\ufffd" in piece for piece in pieces[:-2])


def test_usage_comes_last(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, max_tokens=5, stream=True,
                                                 stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 5
    assert all(chunk.usage is None and chunk.choices for chunk in chunks[:-1])


def test_choices_of_a_stream(web):
    events = web.chat(stream=True, n=2, temperature=1.2, seed=4).events()
    whole = web.chat(n=2, temperature=1.2, seed=4).json["choices"]
    for index in (0, 1):
        mine = [event["choices"][0] for event in events if event["choices"][0]["index"] == index]
        assert "".join(choice["delta"].get("content", "") for choice in mine) == whole[index]["message"]["content"]
        assert [choice["finish_reason"] for choice in mine if choice["finish_reason"]] == ["length"]
        assert [choice["delta"].get("role") for choice in mine].count("assistant") == 1


def test_logprobs_in_a_stream(web):
    events = web.chat(stream=True, logprobs=True, top_logprobs=1).events()
    tokens = [token for event in events for token in (event["choices"][0]["logprobs"] or {}).get("content") or []]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert len(tokens) == 8 and bytes(byte for token in tokens for byte in token["bytes"]).decode() == text


def test_the_client_reads_a_stream(client, model):
    with client.chat.completions.stream(model=model, messages=HELLO, max_tokens=200, temperature=0) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        assert stream.get_final_completion().choices[0].message.content == text != ""


@pytest.mark.parametrize("fields,param", [
    ({"stream": "yes"}, "stream"), ({"stream": True, "best_of": 2}, "best_of"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": True, "temperature": -1}, "temperature")])
def test_errors_come_before_the_stream(web, fields, param):
    answer = web.chat(**fields)
    assert answer.status == 400 and answer.error["param"] == param
    assert answer.headers["Content-Type"].startswith("application/json")


def test_a_client_that_leaves_frees_its_place(web, model):
    before = web.metric("ponder_requests_cancelled_total", model=model)
    body = {"messages": HELLO, "max_tokens": 1900, "stream": True, "ignore_eos": True}
    for _ in range(3):
        with web.open_stream("/v1/chat/completions", body) as sock:
            assert b"200 OK" in sock.recv(4096)
    web.until(lambda: web.metric("ponder_requests_cancelled_total", model=model) == before + 3)
    web.until(lambda: web.metric("ponder_requests_running", model=model) == 0)
    assert web.metric("ponder_kv_pages", model=model, state="used") == 0


def test_a_client_that_leaves_before_a_whole_answer(web, model):
    before = web.metric("ponder_requests_cancelled_total", model=model)
    with web.open_stream("/v1/chat/completions", {"messages": HELLO, "max_tokens": 1900, "ignore_eos": True}):
        web.until(lambda: web.metric("ponder_requests_running", model=model) == 1)
    web.until(lambda: web.metric("ponder_requests_cancelled_total", model=model) == before + 1)


def test_a_client_that_only_closed_its_side_gets_all(web):
    body = {"messages": HELLO, "max_tokens": 20, "stream": True}
    with web.open_stream("/v1/chat/completions", body) as sock:
        sock.shutdown(1)
        data = b""
        while more := sock.recv(65536):
            data += more
    assert b"data: [DONE]" in data
