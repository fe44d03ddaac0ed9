"""OpenAI's responses."""
import json

import openai
import pytest
from pydantic import BaseModel

TOOL = {"type": "function", "name": "get_weather", "strict": True,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
                       "additionalProperties": False}}


def respond(client, model, **fields):
    return client.responses.create(model=model, **{"input": "Say hello.", "max_output_tokens": 16, "temperature": 0, **fields})


def test_an_answer(client, model):
    answer = respond(client, model, instructions="Be brief.", metadata={"a": "b"})
    assert answer.id.startswith("resp_") and answer.object == "response" and answer.output_text
    assert answer.output[0].id.startswith("msg_") and answer.output[0].role == "assistant"
    assert answer.instructions == "Be brief." and answer.metadata == {"a": "b"}
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.status in ("completed", "incomplete")
    cut = respond(client, model, max_output_tokens=2)
    assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens"


def test_events_come_in_order(client, model):
    whole = respond(client, model)
    events = list(respond(client, model, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"]
    assert kinds[-4:-1] == ["response.output_text.done", "response.content_part.done", "response.output_item.done"]
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    final = events[-1].response
    assert final.id == events[0].response.id and final.output_text == whole.output_text
    ids = {event.item_id for event in events if hasattr(event, "item_id")}
    assert ids == {final.output[0].id}


def test_the_client_reads_a_stream(client, model):
    with client.responses.stream(model=model, input="Say hello.", max_output_tokens=200, temperature=0) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text


def test_a_schema(client, model):
    class Pair(BaseModel):
        first: int
        second: int

    answer = client.responses.parse(model=model, input="Two numbers.", text_format=Pair, max_output_tokens=100,
                                    temperature=0)
    assert isinstance(answer.output_parsed, Pair)


def test_calls(client, model):
    asked = [{"role": "user", "content": "What is the weather in Paris?"}]
    answer = respond(client, model, input=asked, tools=[TOOL], tool_choice="required", max_output_tokens=100)
    call = answer.output[0]
    assert call.type == "function_call" and json.loads(call.arguments)["city"] and call.call_id
    kinds = [event.type for event in respond(client, model, input=asked, tools=[TOOL], tool_choice="required",
                                             max_output_tokens=100, stream=True)]
    assert "response.function_call_arguments.delta" in kinds and "response.function_call_arguments.done" in kinds
    last = respond(client, model, tools=[TOOL], tool_choice="none", max_output_tokens=60, input=[
        *asked, *[item.model_dump() for item in answer.output],
        {"type": "function_call_output", "call_id": call.call_id, "output": "31 degrees"}])
    assert "31" in last.output_text


def test_one_response_goes_on_from_another(client, model):
    first = respond(client, model, input="My name is Ada. Reply with OK.", instructions="SECRET")
    second = respond(client, model, input="What is my name?", previous_response_id=first.id)
    assert "Ada" in second.output_text and second.previous_response_id == first.id
    fetched = client.responses.retrieve(first.id)
    assert fetched.output_text == first.output_text
    client.responses.delete(first.id)
    for call in (lambda: client.responses.retrieve(first.id),
                 lambda: respond(client, model, previous_response_id=first.id)):
        with pytest.raises(openai.NotFoundError):
            call()
    kept_nowhere = respond(client, model, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(kept_nowhere.id)


def test_logprobs(client, model):
    answer = respond(client, model, include=["message.output_text.logprobs"], top_logprobs=2)
    part = answer.output[0].content[0]
    assert "".join(entry.token for entry in part.logprobs) == part.text and len(part.logprobs[0].top_logprobs) == 2


def test_forms_of_input(web, model):
    def tokens(value):
        answer = web.post("/v1/responses", {"input": value, "max_output_tokens": 1})
        assert answer.status == 200, answer.body
        return answer.json["usage"]["input_tokens"]

    plain = tokens("Say hello.")
    assert plain == tokens([{"role": "user", "content": "Say hello."}])
    assert plain == tokens([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello."}]}])


@pytest.mark.parametrize("fields,param", [
    ({"input": []}, "input"), ({"input": 5}, "input"), ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [{"content": "a"}]}, "input[0].role"), ({"input": [{"type": "video"}]}, "input[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input[0].content[0].type"),
    ({"input": [{"type": "function_call", "call_id": "a"}]}, "input[0].name"), ({"background": True}, "background"),
    ({"truncation": "auto"}, "truncation"), ({"tools": [{"type": "web_search", "name": "a"}]}, "tools[0].type"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type"), ({"reasoning": {"effort": 1}}, "reasoning.effort"),
    ({"temperature": "hot"}, "temperature"), ({"metadata": {"a": 1}}, "metadata.a")])
def test_refused(web, fields, param):
    answer = web.post("/v1/responses", {"input": "Hi", "max_output_tokens": 1, **fields})
    assert answer.status == 400 and answer.error["param"] == param, answer.body
