"""Anthropic's messages."""
import anthropic
import pytest

HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {"name": "get_weather", "description": "Weather of a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
                         "additionalProperties": False}}


def ask(claude, model, temperature=0, **fields):
    return claude.messages.create(model=model, **{"messages": HELLO, "max_tokens": 16, **fields}, extra_body={"temperature": temperature})


def test_an_answer(claude, model):
    answer = ask(claude, model, system="Be brief.")
    assert answer.id.startswith("msg_") and answer.type == "message" and answer.role == "assistant"
    assert answer.content[0].type == "text" and answer.content[0].text
    assert answer.usage.output_tokens > 0
    assert ask(claude, model, max_tokens=2).stop_reason == "max_tokens"


def test_stop_sequences(claude, model):
    answer = ask(claude, model, messages=[{"role": "user", "content": "Count from 1 to 9, separated by commas."}],
                 max_tokens=40, stop_sequences=["5"])
    assert answer.stop_reason == "stop_sequence" and answer.stop_sequence == "5"
    assert "5" not in answer.content[0].text


def test_events_come_in_order(claude, model):
    whole = ask(claude, model)
    events = list(ask(claude, model, stream=True))
    kinds = [event.type for event in events if event.type != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    deltas = [event for event in events if event.type == "content_block_delta"]
    assert "".join(event.delta.text for event in deltas) == whole.content[0].text
    with claude.messages.stream(model=model, messages=HELLO, max_tokens=16, extra_body={"temperature": 0}) as stream:
        assert "".join(stream.text_stream) == whole.content[0].text
        final = stream.get_final_message()
    assert final.stop_reason == whole.stop_reason and final.usage.output_tokens == whole.usage.output_tokens


def test_calls(claude, model):
    asked = [{"role": "user", "content": "What is the weather in Paris?"}]
    answer = ask(claude, model, messages=asked, tools=[TOOL], tool_choice={"type": "tool", "name": "get_weather"},
                 max_tokens=100)
    assert answer.stop_reason == "tool_use"
    call = answer.content[-1]
    assert call.type == "tool_use" and call.name == "get_weather" and call.input["city"]
    last = ask(claude, model, tools=[TOOL], tool_choice={"type": "none"}, max_tokens=60, messages=[
        *asked, {"role": "assistant", "content": [block.model_dump() for block in answer.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "31 degrees"}]}])
    assert "31" in last.content[0].text
    with claude.messages.stream(model=model, messages=asked, tools=[TOOL], max_tokens=100, extra_body={"temperature": 0},
                                tool_choice={"type": "any", "disable_parallel_tool_use": True}) as stream:
        final = stream.get_final_message()
    assert final.content[-1].input == call.input


def test_a_last_turn_of_the_assistant_goes_on(claude, model):
    answer = ask(claude, model, max_tokens=3, messages=[
        {"role": "user", "content": "Name the capital of France."},
        {"role": "assistant", "content": "The capital of France is"}])
    assert answer.content[0].text.startswith(" Paris")


def test_tokens_are_counted(claude, model):
    counted = claude.messages.count_tokens(model=model, messages=HELLO, system="Be brief.").input_tokens
    usage = ask(claude, model, system="Be brief.").usage
    assert counted == usage.input_tokens + usage.cache_read_input_tokens


def test_errors_have_anthropics_form(claude, web, model):
    with pytest.raises(anthropic.BadRequestError):
        ask(claude, model, temperature=9)
    with pytest.raises(anthropic.NotFoundError):
        ask(claude, "no-such-model")
    answer = web.post("/v1/messages", b"{")
    assert answer.status == 400 and answer.json["type"] == "error"
    assert answer.error["type"] == "invalid_request_error" and answer.error["message"]


@pytest.mark.parametrize("fields,part", [
    ({"max_tokens": None}, "max_tokens"), ({"max_tokens": 0}, "max_tokens"), ({"messages": []}, "messages"),
    ({"messages": [{"role": "robot", "content": "a"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages[0].content[0].type"),
    ({"tools": [{"type": "bash_20250124", "name": "bash", "input_schema": {}}]}, "tools[0].type"),
    ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"), ({"thinking": {"type": "x"}}, "thinking.type"),
    ({"stop_sequences": "a"}, "stop_sequences"), ({"system": 5}, "system")])
def test_refused(web, fields, part):
    answer = web.post("/v1/messages", {"messages": HELLO, "max_tokens": 4, **fields})
    assert answer.status == 400 and part in answer.error["message"], answer.body
