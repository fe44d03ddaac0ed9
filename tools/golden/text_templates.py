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


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def raise_exception(message):
        raise TemplateError(message)

    environment.globals["raise_exception"] = raise_exception
    cases = []
    for path in sorted((GOLDEN / "templates").glob("*.jinja")):
        template = environment.from_string(path.read_text(encoding="utf-8"))
        for messages in CONVERSATIONS:
            for prompt, thinking in ((True, None), (False, None), (True, False), (True, True)):
                if thinking is not None and path.stem != "qwen3":
                    continue
                arguments = {"messages": messages, "add_generation_prompt": prompt,
                             "bos_token": BOS.get(path.stem, DEEPSEEK_BOS)}
                if thinking is not None:
                    arguments["enable_thinking"] = thinking
                cases.append({"template": path.stem, "messages": messages, "prompt": prompt,
                              "thinking": thinking is not False,
                              "expected": template.render(**arguments)})
    text = json.dumps(cases, ensure_ascii=False, separators=(",", ":")).replace("},{\"template", "},\n{\"template")
    (GOLDEN / "templates.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
