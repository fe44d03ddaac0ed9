"""Thoughts, with a tiny random model that has R1's tokens: only the form of its answers means anything."""
import json

import pytest

HELLO = [{"role": "user", "content": "Hi"}]


def ask(web, thinker, **fields):
    return web.chat(**{"model": thinker, "messages": HELLO, "max_tokens": 60, "temperature": 1, "seed": 1, **fields})


def message(answer):
    assert answer.status == 200, answer.body
    return answer.json["choices"][0]["message"]


def test_thoughts_come_apart(web, thinker):
    answer = ask(web, thinker, max_thinking_tokens=10)
    said = message(answer)
    assert said["reasoning_content"] == said["reasoning"] != "" and said["content"]
    assert 10 <= answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 20
    assert "think>" not in json.dumps(said)


def test_thoughts_come_apart_in_streams(web, thinker):
    said = message(ask(web, thinker, max_thinking_tokens=10))
    deltas = [event["choices"][0]["delta"] for event in ask(web, thinker, max_thinking_tokens=10, stream=True).events()]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == said["reasoning_content"]
    assert "".join(delta.get("reasoning", "") for delta in deltas) == said["reasoning"]
    assert "".join(delta.get("content", "") for delta in deltas) == said["content"]


def test_an_answer_that_is_cut_off_in_its_thoughts(web, thinker):
    answer = ask(web, thinker, max_tokens=5, logit_bias={"5": -100})
    assert message(answer)["content"] == "" and message(answer)["reasoning_content"]
    assert answer.json["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("fields", [{"chat_template_kwargs": {"enable_thinking": False}}, {"reasoning_effort": "none"},
                                    {"max_thinking_tokens": 0}, {"thinking_token_budget": 0}])
def test_no_thoughts(web, thinker, fields):
    answer = ask(web, thinker, **fields)
    assert "reasoning_content" not in message(answer) and message(answer)["content"]
    assert answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0


def test_efforts_are_budgets(web, thinker):
    answer = ask(web, thinker, reasoning_effort="minimal", max_tokens=400, logit_bias={"5": -100, "1": -100})
    reasoning = answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert 256 <= reasoning <= 270 and message(answer)["content"]


def test_a_schema_counts_after_the_thoughts(web, thinker):
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 99}}, "required": ["a"],
              "additionalProperties": False}
    said = message(ask(web, thinker, max_thinking_tokens=10, max_tokens=200,
                       response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}))
    assert said["reasoning_content"] and 0 <= json.loads(said["content"])["a"] <= 99


def test_a_forced_call_after_the_thoughts(web, thinker):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"const": {"x": 1}}}}
    answer = ask(web, thinker, max_thinking_tokens=10, max_tokens=300, tools=[tool], tool_choice="required",
                 parallel_tool_calls=False)
    call, = message(answer)["tool_calls"]
    assert call["function"]["name"] == "f" and json.loads(call["function"]["arguments"]) == {"x": 1}
    assert message(answer)["reasoning_content"] and answer.json["choices"][0]["finish_reason"] == "tool_calls"


def test_the_prompt_with_and_without_thoughts(web, thinker):
    def prompt(**fields):
        return web.post("/apply-template", {"model": thinker, "messages": HELLO, **fields}).json["prompt"]

    assert prompt().endswith("<think>\n")
    assert "</think>" in prompt(chat_template_kwargs={"enable_thinking": False})[-12:]


def test_thoughts_in_the_history_are_dropped(web, thinker):
    messages = [*HELLO, {"role": "assistant", "content": "Yes", "reasoning_content": "SECRET"}, *HELLO]
    assert "SECRET" not in web.post("/apply-template", {"model": thinker, "messages": messages}).json["prompt"]


def test_with_anthropics_client(claude, thinker):
    def ask_claude(**fields):
        return claude.messages.create(model=thinker, messages=HELLO, max_tokens=60, extra_body={"seed": 1}, **fields)

    answer = ask_claude(thinking={"type": "enabled", "budget_tokens": 10})
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].thinking
    assert [block.type for block in ask_claude(thinking={"type": "disabled"}).content] == ["text"]
    with claude.messages.stream(model=thinker, messages=HELLO, max_tokens=60, extra_body={"seed": 1},
                                thinking={"type": "enabled", "budget_tokens": 10}) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert "thinking" in kinds and "text" in kinds and [b.type for b in final.content] == ["thinking", "text"]


def test_with_responses(client, thinker):
    answer = client.responses.create(model=thinker, input="Hi", max_output_tokens=400, reasoning={"effort": "minimal"},
                                     extra_body={"seed": 1})
    assert [item.type for item in answer.output][0] == "reasoning"
    assert answer.usage.output_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("fields,param", [
    ({"reasoning_effort": "huge"}, "reasoning_effort"), ({"max_thinking_tokens": -1}, "max_thinking_tokens"),
    ({"chat_template_kwargs": []}, "chat_template_kwargs"),
    ({"chat_template_kwargs": {"enable_thinking": "no"}}, "chat_template_kwargs.enable_thinking")])
def test_refused(web, thinker, fields, param):
    answer = ask(web, thinker, **fields)
    assert answer.status == 400 and answer.error["param"] == param
