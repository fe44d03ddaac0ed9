"""Calls of tools."""
import json

import jsonschema
import pytest

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
           "required": ["city"], "additionalProperties": False}
CLOCK = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"],
         "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city.",
                                           "parameters": WEATHER}},
         {"type": "function", "function": {"name": "get_time", "description": "Time in a zone.", "parameters": CLOCK}}]
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]


def ask(web, **fields):
    fields = {"messages": QUESTION, "tools": TOOLS, "max_tokens": 120, **fields}
    answer = web.chat(**fields)
    assert answer.status == 200, answer.body
    return answer


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}},
                                    {"type": "function", "function": {"name": "get_time"}}])
def test_forced_calls(web, choice):
    answer = ask(web, tool_choice=choice).json["choices"][0]
    assert answer["finish_reason"] == "tool_calls" and answer["message"]["content"] is None
    names = [call["function"]["name"] for call in answer["message"]["tool_calls"]]
    if choice != "required":
        assert set(names) == {choice["function"]["name"]}
    for call in answer["message"]["tool_calls"]:
        assert call["id"].startswith("call_") and call["type"] == "function"
        schema = WEATHER if call["function"]["name"] == "get_weather" else CLOCK
        jsonschema.validate(json.loads(call["function"]["arguments"]), schema)


def test_forced_calls_even_when_hot(web):
    for seed in range(4):
        answer = ask(web, tool_choice="required", parallel_tool_calls=False, temperature=1.5, seed=seed).json["choices"][0]
        call, = answer["message"]["tool_calls"]
        schema = {"get_weather": WEATHER, "get_time": CLOCK}[call["function"]["name"]]
        if answer["finish_reason"] == "tool_calls":
            jsonschema.validate(json.loads(call["function"]["arguments"]), schema)


def test_streamed_calls_are_the_whole_ones(web):
    whole = ask(web, tool_choice="required", seed=1).json["choices"][0]["message"]["tool_calls"]
    events = ask(web, tool_choice="required", seed=1, stream=True).events()
    calls = {}
    for event in events:
        for piece in event["choices"][0]["delta"].get("tool_calls", []):
            if piece["index"] not in calls:
                assert piece["id"] and piece["type"] == "function" and piece["function"]["name"]
                calls[piece["index"]] = {"name": piece["function"]["name"], "arguments": ""}
            else:
                assert "id" not in piece and "name" not in piece["function"]
            calls[piece["index"]]["arguments"] += piece["function"]["arguments"]
    assert [calls[i] for i in range(len(calls))] == [call["function"] for call in whole]
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert not any(event["choices"][0]["delta"].get("content") for event in events)


def test_with_the_client(client, model):
    with client.chat.completions.stream(model=model, messages=QUESTION, tools=TOOLS, tool_choice="required",
                                        max_tokens=120, temperature=0) as stream:
        for _ in stream:
            pass
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments)["city"] == "Paris"
    answer = client.chat.completions.create(
        model=model, tools=TOOLS, tool_choice="none", max_tokens=60, temperature=0,
        messages=[*QUESTION, {"role": "assistant", "tool_calls": [call.model_dump(exclude={"index"})]},
                  {"role": "tool", "tool_call_id": call.id, "content": "31 degrees and sunny"}])
    assert "31" in answer.choices[0].message.content


def test_several_calls_where_they_are_asked_for(web):
    both = [{"role": "user", "content": "What is the weather in Paris, and what is the time in the zone UTC?"}]
    answer = ask(web, messages=both, tool_choice="required", parallel_tool_calls=True, max_tokens=700).json["choices"][0]
    calls = answer["message"]["tool_calls"]
    assert 1 <= len(calls) <= 16 and len({call["id"] for call in calls}) == len(calls)
    for call in calls[:-1]:
        schema = {"get_weather": WEATHER, "get_time": CLOCK}[call["function"]["name"]]
        jsonschema.validate(json.loads(call["function"]["arguments"]), schema)


def test_none_and_auto(web):
    message = ask(web, tool_choice="none", max_tokens=20).json["choices"][0]["message"]
    assert "tool_calls" not in message and message["content"]
    greeting = [{"role": "user", "content": "Say hello."}]
    answer = ask(web, messages=greeting, max_tokens=40, tool_choice="auto").json["choices"][0]
    assert answer["finish_reason"] in ("stop", "tool_calls", "length")


def test_strict_tools_bind_the_arguments(web):
    strict = json.loads(json.dumps(TOOLS[:1]))
    strict[0]["function"]["strict"] = True
    for seed in range(3):
        message = ask(web, tools=strict, temperature=1.2, seed=seed).json["choices"][0]
        for call in message["message"].get("tool_calls", []):
            if message["finish_reason"] == "tool_calls":
                jsonschema.validate(json.loads(call["function"]["arguments"]), WEATHER)


def test_a_schema_or_a_call(web):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
    message = ask(web, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    message = message.json["choices"][0]["message"]
    if message.get("tool_calls"):
        jsonschema.validate(json.loads(message["tool_calls"][0]["function"]["arguments"]), WEATHER)
    else:
        jsonschema.validate(json.loads(message["content"]), schema)


@pytest.mark.parametrize("fields,param", [
    ({"tools": [{"type": "function"}]}, "tools[0].function"), ({"tools": [1]}, "tools[0]"), ({"tools": {}}, "tools"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"tools": [{"type": "x", "function": {"name": "f"}}]}, "tools[0].type"),
    ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": 5}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]}, "tools[0].function.parameters"),
    ({"tools": [TOOLS[0], TOOLS[0]]}, "tools[1]"), ({"tool_choice": "maybe"}, "tool_choice"),
    ({"tool_choice": {"type": "function", "function": {"name": "absent"}}}, "tool_choice"),
    ({"tools": [], "tool_choice": "required"}, "tool_choice"),
    ({"messages": [*QUESTION, {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]},
     "messages[1].tool_calls[0].function.arguments"),
    ({"messages": [*QUESTION, {"role": "assistant", "tool_calls": "f"}]}, "messages[1].tool_calls"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "no such"}}}],
      "tool_choice": "required"}, "tools")])
def test_refused(web, fields, param):
    answer = web.chat(**{"messages": QUESTION, "tools": TOOLS, **fields})
    assert answer.status == 400 and answer.error["param"] == param, answer.body
