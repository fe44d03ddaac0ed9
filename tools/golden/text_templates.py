#!/usr/bin/env python3
"""Renders the chat templates of tests/golden/text/templates with Jinja2, set as Hugging Face sets
it, and writes what they give to tests/golden/text/templates.json.

    python3 tools/golden/text_templates.py
"""

import json
from pathlib import Path

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

GOLDEN = Path(__file__).resolve().parents[2] / "tests/golden/text"
BOS = {"llama3": "<|begin_of_text|>", "llama3.0": "<|begin_of_text|>"}
DEEPSEEK_BOS = "<｜begin▁of▁sentence｜>"


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, reasoning=None):
    message = {"role": "assistant", "content": text}
    if reasoning:
        message["reasoning_content"] = reasoning
    return message


def call(name, arguments):
    """Arguments are JSON text, as in requests of OpenAI's form."""
    return {"type": "function", "id": "call_0", "function": {"name": name, "arguments": arguments}}


def calling(*calls, content=""):
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(text):
    return {"role": "tool", "tool_call_id": "call_0", "name": "f", "content": text}


CONVERSATIONS = [
    [user("Hello!")],
    [system("Be brief."), user("Hi")],
    [system("  Spaces around. \n"), user("\n two\nlines \t"), assistant(" Yes. \u3000")],
    [user("1+1?"), assistant("<think>\nadd them\n</think>\n\n2"), user("2+2?")],
    [user("1+1?"), assistant("<think>\nadd them\n</think>\n\n2")],
    [user("1+1?"), assistant("no opening tag\n</think>\n\n\n2"), user("Why?"), assistant("So.")],
    [user("a"), assistant("<think>x</think>b<think>y</think>c"), user("d")],
    [user("a"), assistant("<think>x</think>b<think>y</think>c")],
    [user("q"), assistant("answer", "thoughts on their own")],
    [user("q"), assistant("\nanswer", "\n\nthoughts\n"), user("r"), assistant("end", "more")],
    [user("q"), assistant("one"), assistant("two", "why two"), assistant("three")],
    [system("A"), user("b"), system("C"), user("d"), assistant("e"), system("F")],
    [assistant("I begin."), user("Then I.")],
    [assistant("Alone.")],
    [system("Only this.")],
    [user("first"), user("second"), assistant("to both")],
    [user("<tool_response>\n42\n</tool_response>"), assistant("It is 42.", "read it")],
    [user("ask"), assistant("calling", "look up"), user("<tool_response>7</tool_response>"),
     assistant("7.", "seen")],
    [user(""), assistant("")],
    [user("“Ünïcödé” 你好 👍🏽 {{ 1 + 1 }} {% if x %} <|im_end|> \\n \"quotes\" 'single'")],
    [user("q"), assistant("</think>"), user("r")],
    [user("q"), assistant("<think>\n\n</think>\n\n"), user("r")],
]

WEATHER = call("get_weather", '{"city": "Zürich", "days": 3}')
CLOCK = call("clock", '{"z":[1.0,1e-5,-0.5,1e22,123456789012],"a":{"y":null,"x":[]},'
                      '"text":"\\"\\n\\u0007<b>é\\u4f60"}')
TOOL_CONVERSATIONS = [
    [user("Weather?"), calling(WEATHER)],
    [system("Be brief."), user("Weather?"), calling(WEATHER), result("rain, <b>12</b> °C")],
    [user("a"), calling(WEATHER, CLOCK), result("{\"t\": 12}"), result("noon"),
     assistant("Rain at noon.")],
    [user("a"), calling(WEATHER), result("rain"), assistant("Rain."), user("And now?"),
     calling(CLOCK), result("noon"), calling(WEATHER), result("sun"), assistant("Sun.")],
    [user("a"), calling(WEATHER), result("rain"), user("Never mind.")],
    [user("a"), calling(call("now", "{}")), result(""), assistant("</think>Now.", "seen")],
    [user("a"), calling(WEATHER, CLOCK, WEATHER), result("1"), result("2"), result("3")],
    [result("of nothing"), user("a")],
]
CONTENT_AND_CALLS = [
    [user("Weather?"), calling(WEATHER, content="Let me look."), result("rain")],
    [user("Weather?"), calling(WEATHER, content="<think>\nlook\n</think>\n\nLooking."),
     result("rain"), assistant("Rain."), user("b"), calling(CLOCK, WEATHER, content="Again.")],
]
TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "The weather of a \"city\" – now & then",
        "parameters": {"type": "object", "required": ["city"], "properties": {
            "city": {"type": "string", "enum": ["Zürich", "北京"]},
            "days": {"type": "integer", "default": 1.5, "minimum": 0}}}}},
    {"type": "function", "function": {"name": "clock", "parameters": {}}},
]
# Which templates tell the model its tools, take arguments as JSON text, can call several at once,
# and can say something beside calls.
TELLS_TOOLS = {"qwen2.5", "qwen3", "llama3"}
ARGUMENTS_AS_TEXT = {"qwen3", "deepseek-r1", "deepseek-r1-0120", "deepseek-r1-0528",
                     "deepseek-r1-distill", "deepseek-r1-distill-0120"}
ONE_CALL = {"llama3"}
NO_CONTENT_WITH_CALLS = {"deepseek-r1-distill", "deepseek-r1-distill-0120"}


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    """As Hugging Face has it: unlike Jinja's own, nothing is escaped for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def renderable(name, messages):
    with_calls = [m for m in messages if m.get("tool_calls")]
    if name == "llama3.0" and with_calls:
        return False  # it knows no calls
    if name in ONE_CALL and any(len(m["tool_calls"]) > 1 for m in with_calls):
        return False
    return name not in NO_CONTENT_WITH_CALLS or not any(m["content"] for m in with_calls)


def for_template(name, messages):
    """The messages as the template expects calls."""
    messages = json.loads(json.dumps(messages))
    for message in messages:
        for item in message.get("tool_calls", []):
            if name not in ARGUMENTS_AS_TEXT:
                item["function"]["arguments"] = json.loads(item["function"]["arguments"])
        if message.get("tool_calls") and name in NO_CONTENT_WITH_CALLS:
            message["content"] = None
    return messages


def cases_of(name):
    """(messages, prompt, thinking, tools) to render."""
    for messages in CONVERSATIONS + TOOL_CONVERSATIONS + CONTENT_AND_CALLS:
        if not renderable(name, messages):
            continue
        for prompt, thinking in ((True, None), (False, None), (True, False), (True, True)):
            if thinking is None or name == "qwen3":
                yield messages, prompt, thinking, None
        told = name in TELLS_TOOLS and [m["role"] for m in messages] != ["system"]
        if told:
            yield messages, True, None, TOOLS
            yield messages, False, None, TOOLS[:1]


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def raise_exception(message):
        raise TemplateError(message)

    environment.globals["raise_exception"] = raise_exception
    environment.filters["tojson"] = tojson
    cases = []
    for path in sorted((GOLDEN / "templates").glob("*.jinja")):
        name = path.stem
        template = environment.from_string(path.read_text(encoding="utf-8"))
        for messages, prompt, thinking, tools in cases_of(name):
            arguments = {"messages": for_template(name, messages), "add_generation_prompt": prompt,
                         "bos_token": BOS.get(name, DEEPSEEK_BOS)}
            if thinking is not None:
                arguments["enable_thinking"] = thinking
            if tools:
                arguments["tools"] = tools
            case = {"template": name, "messages": messages, "prompt": prompt,
                    "thinking": thinking is not False, "expected": template.render(**arguments)}
            cases.append({**case, "tools": tools} if tools else case)
    text = json.dumps(cases, ensure_ascii=False, separators=(",", ":")).replace("},{\"template", "},\n{\"template")
    (GOLDEN / "templates.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
