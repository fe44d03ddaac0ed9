"""Completions: text without a conversation."""
import pytest


def complete(web, prompt="The capital of France is", **fields):
    return web.post("/v1/completions", {"prompt": prompt, "max_tokens": 5, "temperature": 0, **fields})


def texts(answer):
    assert answer.status == 200, answer.body
    return [choice["text"] for choice in answer.json["choices"]]


def test_a_text_goes_on(client, model):
    answer = client.completions.create(model=model, prompt="The capital of France is", max_tokens=3, temperature=0)
    assert answer.object == "text_completion" and answer.id.startswith("cmpl-")
    assert answer.choices[0].text.startswith(" Paris") and answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


def test_all_forms_of_prompts(web):
    ids = web.post("/tokenize", {"content": "The capital of France is"}).json["tokens"]
    text, = texts(complete(web))
    assert texts(complete(web, ids)) == [text]
    assert texts(complete(web, [ids, "The capital of France is"])) == [text, text]
    assert texts(complete(web, ["The capital of France is"] * 3)) == [text] * 3


def test_indices_of_several_prompts_and_choices(web):
    answer = complete(web, ["One", "Two"], n=2, temperature=1, seed=3).json
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert answer["usage"]["completion_tokens"] == 20
    assert answer["choices"][2]["text"] == texts(complete(web, "Two", temperature=1, seed=3))[0]


def test_echo(web):
    text, = texts(complete(web))
    assert texts(complete(web, echo=True)) == ["The capital of France is" + text]
    assert texts(complete(web, echo=True, max_tokens=0)) == ["The capital of France is"]


def test_older_logprobs(client, model):
    answer = client.completions.create(model=model, prompt="The capital of France is", max_tokens=4, temperature=0,
                                       logprobs=2)
    lists = answer.choices[0].logprobs
    assert "".join(lists.tokens) == answer.choices[0].text
    assert len(lists.token_logprobs) == len(lists.top_logprobs) == len(lists.text_offset) == 4
    assert lists.text_offset == [sum(map(len, lists.tokens[:i])) for i in range(4)]
    for token, logprob, likely in zip(lists.tokens, lists.token_logprobs, lists.top_logprobs):
        assert len(likely) == 2 and likely[token] == logprob == max(likely.values())


def test_logprobs_of_the_prompt(web):
    choice = complete(web, echo=True, logprobs=1, max_tokens=2).json["choices"][0]
    lists = choice["logprobs"]
    assert "".join(lists["tokens"]) == choice["text"]
    assert lists["token_logprobs"][0] is None and lists["top_logprobs"][0] is None
    assert all(value <= 0 for value in lists["token_logprobs"][1:])
    # The same number as when the token is generated.
    greedy = complete(web, logprobs=1, max_tokens=1).json["choices"][0]["logprobs"]
    again = complete(web, "The capital of France is" + greedy["tokens"][0], echo=True, logprobs=1,
                     max_tokens=0).json["choices"][0]["logprobs"]
    assert again["token_logprobs"][-1] == pytest.approx(greedy["token_logprobs"][0], abs=1e-6)


def test_streams(web):
    whole, = texts(complete(web, max_tokens=12))
    answer = complete(web, max_tokens=12, stream=True, stream_options={"include_usage": True})
    events = answer.events()
    assert "".join(event["choices"][0]["text"] for event in events[:-1]) == whole
    assert events[-1]["usage"]["completion_tokens"] == 12 and answer.body.endswith(b"[DONE]\n\n")
    echoed = complete(web, max_tokens=12, stream=True, echo=True).events()
    assert "".join(event["choices"][0]["text"] for event in echoed) == "The capital of France is" + whole


def test_streams_of_several_prompts(web):
    whole = texts(complete(web, ["One,", "Two,"]))
    events = complete(web, ["One,", "Two,"], stream=True).events()
    for index in (0, 1):
        assert whole[index] == "".join(event["choices"][0]["text"] for event in events
                                       if event["choices"][0]["index"] == index)


def test_stop_and_constraints(web):
    text, = texts(complete(web, "1, 2, 3, 4,", max_tokens=20, stop=", 7"))
    assert text == " 5, 6"
    assert texts(complete(web, guided_choice=["Rome", "Oslo"]))[0] in ("Rome", "Oslo")


def test_stop_tokens(web):
    comma, = web.post("/tokenize", {"content": ","}).json["tokens"]
    assert "," not in texts(complete(web, "One, two", max_tokens=10, stop_token_ids=[comma]))[0]


@pytest.mark.parametrize("fields,param", [
    ({"prompt": []}, "prompt"), ({"prompt": None}, "prompt"), ({"prompt": [1.5]}, "prompt[0]"), ({"prompt": ""}, "prompt"),
    ({"prompt": [-1]}, "prompt[0]"), ({"prompt": [2_000_000_000]}, "prompt"), ({"prompt": ["a", 1]}, "prompt[1]"),
    ({"prompt": [[]]}, "prompt[0]"), ({"suffix": "end"}, "suffix"), ({"logprobs": 21}, "logprobs"),
    ({"logprobs": True}, "logprobs"), ({"best_of": 1, "n": 2}, "best_of"), ({"prompt": ["a"] * 300}, "prompt"),
    ({"prompt": ["a"] * 200, "n": 2}, "prompt")])
def test_refused(web, fields, param):
    answer = complete(web, **fields)
    assert answer.status == 400 and answer.error["param"] == param, answer.body


def test_a_prompt_that_does_not_fit(web):
    for stream in (False, True):
        answer = complete(web, "word " * 40000, stream=stream)
        assert answer.status == 400 and answer.error["code"] == "context_length_exceeded"
