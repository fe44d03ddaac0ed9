"""Chat completions, with the official client and by hand."""
import json

import openai
import pytest
from pydantic import BaseModel

from serving import together

HELLO = [{"role": "user", "content": "Say hello."}]


def ask(client, model, **fields):
    fields.setdefault("messages", HELLO)
    fields.setdefault("max_tokens", 8)
    fields.setdefault("temperature", 0)
    return client.chat.completions.create(model=model, **fields)


def test_an_answer(client, model):
    answer = ask(client, model)
    assert answer.id.startswith("chatcmpl-") and answer.object == "chat.completion"
    assert answer.model == model and answer.created > 1.7e9 and answer.system_fingerprint
    choice, = answer.choices
    assert choice.index == 0 and choice.message.role == "assistant" and choice.message.content
    assert choice.message.tool_calls is None and choice.logprobs is None
    assert choice.finish_reason == "length" and answer.usage.completion_tokens == 8


def test_the_model_ends_by_itself(client, model):
    answer = ask(client, model, max_tokens=200, messages=[{"role": "user", "content": "Reply with just: OK"}])
    assert answer.choices[0].finish_reason == "stop"
    assert 0 < answer.usage.completion_tokens < 200


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_both_names_of_the_limit(web, name):
    fields = {"max_tokens": None, name: 3}
    assert web.chat(**fields).json["usage"]["completion_tokens"] == 3


def test_without_a_model_the_first_one_answers(web, model):
    assert web.chat().json["model"] == model


def test_usage_counts_the_prompt_and_what_was_cached(web):
    text = "A sentence that nobody has sent before: 5417."
    first, second = web.chat(text).json["usage"], web.chat(text).json["usage"]
    assert first["prompt_tokens"] == second["prompt_tokens"] > 10
    assert first["total_tokens"] == first["prompt_tokens"] + 8
    known = first["prompt_tokens_details"]["cached_tokens"]
    assert known < second["prompt_tokens_details"]["cached_tokens"] < second["prompt_tokens"]


def test_timings(web):
    timings = web.chat().json["timings"]
    assert timings["predicted_n"] == 8 and timings["prompt_n"] >= 1
    assert timings["predicted_per_second"] > 0 and all(value >= 0 for value in timings.values())


def test_several_choices(client, model):
    sampling = {"messages": [{"role": "user", "content": "Name a colour and an animal."}], "temperature": 1.5,
                "seed": 11}
    for _ in range(2):
        answer = ask(client, model, n=3, **sampling)
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert len({choice.message.content for choice in answer.choices}) > 1
        assert answer.usage.completion_tokens == 24
        alone = ask(client, model, **sampling)
        assert alone.choices[0].message.content == answer.choices[0].message.content


def test_the_best_of_several(web):
    fields = {"temperature": 1.5, "seed": 5, "logprobs": True}
    best = web.chat(best_of=4, **fields).json
    all_four = web.chat(n=4, **fields).json

    def mean(choice):
        tokens = choice["logprobs"]["content"]
        return sum(token["logprob"] for token in tokens) / len(tokens)

    likeliest = max(all_four["choices"], key=mean)
    assert len(best["choices"]) == 1
    assert best["choices"][0]["message"]["content"] == likeliest["message"]["content"]
    assert best["usage"]["completion_tokens"] == 32


def test_seeds(web):
    def text(**fields):
        return web.chat("Tell me a story.", temperature=1, max_tokens=12, **fields).json

    one, same, other = text(seed=1), text(seed=1), text(seed=2)
    content = [answer["choices"][0]["message"]["content"] for answer in (one, same, other)]
    assert content[0] == content[1] != content[2]
    chosen = text()
    again = text(seed=chosen["seed"])
    assert again["choices"][0]["message"]["content"] == chosen["choices"][0]["message"]["content"]


def test_alone_and_among_others(web):
    def text(seed):
        return web.chat("Tell me a story.", temperature=1, max_tokens=16, seed=seed).json["choices"][0]["message"]

    alone = [text(seed) for seed in range(6)]
    assert together(*(lambda seed=seed: text(seed) for seed in range(6))) == alone


def test_more_requests_than_places(web):
    answers = together(*(lambda: web.chat(max_tokens=4) for _ in range(24)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["choices"][0]["message"]["content"] for answer in answers}) == 1


@pytest.mark.parametrize("stop", ["three", ["nothing", "thr"], ["e, f", "two, t"]])
def test_stop_strings(web, stop):
    question = "Count in words from one to six, in this form: one, two, ..."
    free = web.chat(question, max_tokens=40).json["choices"][0]["message"]["content"]
    answer = web.chat(question, max_tokens=40, stop=stop).json["choices"][0]
    ends = [free.find(s) for s in ([stop] if isinstance(stop, str) else stop) if s in free]
    assert ends, free
    assert answer["message"]["content"] == free[:min(ends)] and answer["finish_reason"] == "stop"


def test_stop_strings_never_leak_into_a_stream(web):
    question = "Count in words from one to six, in this form: one, two, ..."
    whole = web.chat(question, max_tokens=40, stop="three, f").json["choices"][0]["message"]["content"]
    events = web.chat(question, max_tokens=40, stop="three, f", stream=True).events()
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == whole


def test_logprobs(client, model):
    answer = ask(client, model, logprobs=True, top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    assert len(tokens) == 8
    assert bytes(byte for token in tokens for byte in token.bytes).decode() == answer.choices[0].message.content
    for token in tokens:
        assert len(token.top_logprobs) == 3 and token.top_logprobs[0].logprob == token.logprob <= 0
        assert token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob


def test_logprobs_of_a_stop_string_are_left_out(web):
    choice = web.chat("Count in words from one to six, in this form: one, two, ...", max_tokens=40, stop="two",
                      logprobs=True).json["choices"][0]
    text = bytes(byte for token in choice["logprobs"]["content"] for byte in token["bytes"]).decode()
    assert text.startswith(choice["message"]["content"])
    assert len(text) < len(choice["message"]["content"]) + 4


def test_logit_bias_bans(web, model):
    first = web.chat(max_tokens=1, logprobs=True).json["choices"][0]["logprobs"]["content"][0]["token"]
    token, = web.post("/tokenize", {"content": first, "model": model}).json["tokens"]
    banned = web.chat(max_tokens=1, logit_bias={str(token): -100}).json
    assert banned["choices"][0]["message"]["content"] != first
    forced = web.chat("Hi", max_tokens=3, logit_bias={str(token): 100}).json
    assert forced["choices"][0]["message"]["content"] == 3 * first


@pytest.mark.parametrize("fields", [{"top_p": 0.1}, {"top_k": 1}, {"min_p": 1}, {"typical_p": 0.5}, {"top_p": 0},
                                    {"repetition_penalty": 1.3}, {"presence_penalty": 1.0, "frequency_penalty": -1}])
def test_ways_of_sampling(web, fields):
    assert web.chat(temperature=1, seed=1, **fields).status == 200


def test_top_k_of_one_is_greedy(web):
    greedy = web.chat().json["choices"][0]["message"]["content"]
    assert web.chat(temperature=2, seed=9, top_k=1).json["choices"][0]["message"]["content"] == greedy


def test_parts_of_text(web):
    parts = [{"type": "text", "text": "Say"}, {"type": "text", "text": "hello."}]
    joined = web.chat("Say\nhello.").json
    answer = web.chat(messages=[{"role": "user", "content": parts}]).json
    assert answer["choices"][0]["message"] == joined["choices"][0]["message"]
    assert answer["usage"]["prompt_tokens"] == joined["usage"]["prompt_tokens"]


def test_roles(client, model):
    messages = [{"role": "developer", "content": "Answer with one word."}, {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello", "reasoning_content": "They greet."},
                {"role": "user", "content": "Bye"}]
    assert ask(client, model, messages=messages).choices[0].message.content


def test_the_last_message_is_continued(web):
    messages = [*HELLO, {"role": "assistant", "content": "The capital of France is"}]
    answer = web.chat(messages=messages, continue_final_message=True, max_tokens=2).json
    prompt = web.post("/apply-template", {"messages": messages, "continue_final_message": True}).json["prompt"]
    assert prompt.endswith("The capital of France is")
    assert answer["choices"][0]["message"]["content"].startswith(" Paris")
    refused = web.chat(messages=messages, continue_final_message=True, add_generation_prompt=True)
    assert refused.status == 400 and refused.error["param"] == "continue_final_message"
    refused = web.chat(continue_final_message=True)
    assert refused.status == 400


def test_a_schema_is_kept(client, model):
    class Person(BaseModel):
        name: str
        age: int
        likes: list[str]

    answer = client.chat.completions.parse(
        model=model, response_format=Person, max_tokens=120, temperature=0,
        messages=[{"role": "user", "content": "Invent a person who likes two things."}])
    assert answer.choices[0].finish_reason == "stop"
    assert isinstance(answer.choices[0].message.parsed, Person)


def test_json_objects(web):
    answer = web.chat("Describe a cat as JSON with two short fields.", max_tokens=120,
                      response_format={"type": "json_object"}).json
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)


@pytest.mark.parametrize("fields,check", [
    ({"guided_choice": ["red", "blue"]}, lambda text: text in ("red", "blue")),
    ({"structured_outputs": {"choice": ["yes", "no"]}}, lambda text: text in ("yes", "no")),
    ({"guided_regex": "[0-9]{3}-[0-9]{2}"}, lambda text: len(text) == 6 and text[3] == "-"),
    ({"structured_outputs": {"regex": "a+b"}, "max_tokens": 50}, lambda text: text.strip("a") in ("b", "")),
    ({"guided_grammar": 'root ::= "x" [0-9] "y"'}, lambda text: len(text) == 3 and text[0] + text[2] == "xy"),
    ({"guided_json": {"type": "integer", "minimum": 1, "maximum": 9}}, lambda text: 1 <= int(text) <= 9),
    ({"guided_json": '{"const": "a"}'}, lambda text: json.loads(text) == "a"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"const": [1]}}}},
     lambda text: json.loads(text) == [1])])
def test_constraints(web, fields, check):
    answer = web.chat("Say anything.", **{"max_tokens": 30, **fields})
    assert answer.status == 200, answer.body
    assert check(answer.json["choices"][0]["message"]["content"])


@pytest.mark.parametrize("fields,param", [
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"response_format": []}, "response_format"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "no such"}}}},
     "response_format.json_schema.schema"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": 5}}}, "response_format.json_schema.schema"),
    ({"guided_regex": "(a"}, "guided_regex"), ({"guided_grammar": "root ::= missing"}, "guided_grammar"),
    ({"guided_choice": []}, "guided_choice"), ({"guided_json": "{"}, "guided_json"),
    ({"guided_choice": ["a"], "guided_regex": "a"}, None),
    ({"guided_regex": "(" * 60000 + ")" * 60000}, "guided_regex"),
    ({"guided_grammar": "root ::= " + "(" * 60000 + '"a"' + ")" * 60000}, "guided_grammar")])
def test_constraints_that_make_no_sense(web, fields, param):
    answer = web.chat(**fields)
    assert answer.status == 400 and answer.error["type"] == "invalid_request_error"
    assert param is None or answer.error["param"] == param, answer.error


def test_the_client_sees_the_kinds_of_errors(client, model):
    with pytest.raises(openai.BadRequestError) as bad:
        ask(client, model, temperature=3)
    assert bad.value.param == "temperature" and bad.value.request_id
    with pytest.raises(openai.NotFoundError) as missing:
        ask(client, "no-such-model")
    assert missing.value.code == "model_not_found" and missing.value.param == "model"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_does_not_fit(web, model, stream):
    context = next(m for m in web.get("/v1/models").json["data"] if m["id"] == model)["max_model_len"]
    answer = web.chat("word " * (context + 100), stream=stream)
    assert answer.status == 400 and answer.error["code"] == "context_length_exceeded"
    assert str(context) in answer.error["message"]


def test_too_many_tokens_are_clipped_to_the_context(web):
    answer = web.chat("Reply with just: OK", max_tokens=9_000_000_000_000_000)
    assert answer.status == 200 and answer.json["choices"][0]["finish_reason"] == "stop"
