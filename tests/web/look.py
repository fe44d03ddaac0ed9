#!/usr/bin/env python3
"""Takes pictures of the pages, to be looked at: tests/web/look.py FOLDER"""
import sys
import tempfile
from pathlib import Path

import samples
from browser import Browser
from fake_server import FakeServer, content, hold, reasoning

CONVERSATIONS = ["Explain hash tables to somebody who knows arrays", "Plan a week of meals", "Why is the sky blue?"]


def ask(page, text):
    page.wait("document.querySelector('#send')?.getAttribute('aria-label') === 'Send'")
    page.fill("#prompt", text)
    page.click("#send")


def done(page):
    page.wait("document.querySelector('.message.assistant:last-child[aria-busy=false]')")


def chat(page, server, folder, name):
    page.open(server.url)
    page.screenshot(folder / f"{name}-empty.png")
    server.will_answer([content("Certainly: *arrays* with a function in front.")])
    for text in CONVERSATIONS:
        ask(page, text)
        done(page)
        page.run("document.querySelector('#new-chat').click()")
    server.will_answer(samples.answer(), [reasoning(samples.THOUGHTS), hold(name)])
    ask(page, "Write a Python function that checks whether a number is prime, and explain it.")
    done(page)
    page.run("document.querySelector('#thread').scrollTop = 0")
    page.screenshot(folder / f"{name}-answer.png")
    page.run("document.querySelector('.thinking summary').click()")
    page.screenshot(folder / f"{name}-thoughts.png")
    page.run("document.querySelector('.thinking summary').click()")
    page.run("document.querySelector('.math.display').scrollIntoView()")
    page.screenshot(folder / f"{name}-maths.png")
    page.run("document.querySelector('#thread').scrollTop = 1e6")
    page.screenshot(folder / f"{name}-end.png")
    ask(page, "And in C++?\n\n```cpp\nint main() {}\n```")
    page.wait("document.querySelectorAll('.thinking:not([hidden])').length === 2")
    page.screenshot(folder / f"{name}-live.png")
    server.release(name)
    done(page)


def more(page, server, folder, name):
    for dialog in ("settings", "help"):
        page.run(f"document.querySelector('#{dialog}').click()")
        page.screenshot(folder / f"{name}-{dialog}.png")
        page.run(f"document.querySelector('#close-{dialog}').click()")
    page.run("document.querySelector('.message.user .edit').click()")
    page.screenshot(folder / f"{name}-edit.png")
    page.open(server.url + "/status")
    page.wait("document.querySelectorAll('canvas').length === 6")
    page.wait("document.querySelector('[data-figure=speed] .value').textContent !== '–'")
    for _ in range(6):
        page.run("new Promise((done) => setTimeout(done, 2000))")
    page.screenshot(folder / f"{name}-status.png")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, FakeServer() as server, Browser(profile) as browser:
        server.metrics = samples.Load()
        for name, dark, phone in (("light", False, False), ("dark", True, False), ("phone", False, True)):
            with browser.page() as page:
                page.dark(dark)
                if phone:
                    page.size(390, 844, phone=True)
                chat(page, server, folder, name)
                if phone:
                    page.run("document.querySelector('#menu').click()")
                    page.screenshot(folder / "phone-drawer.png")
                    page.run("document.querySelector('#close-sidebar').click()")
                more(page, server, folder, name)
                print(name, page.errors)


if __name__ == "__main__":
    main()
