"""Fixtures for the tests of the web pages, which run in Chromium.

PONDER_WEB_URL   a running `ponder serve`, instead of one that is started here
PONDER_WEB_KEY   its API key, if it asks for one
CHROMIUM         the browser (default: chromium on the path)
"""
import json
import os

import pytest

import browser as browsers
from fake_server import FakeServer, hold, words
from serving import Server


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if not browsers.program():
        pytest.skip("chromium is not installed: tools/setup.sh test")
    with browsers.Browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def server():
    with FakeServer() as fake:
        yield fake


class Chat:
    """The chat page as somebody uses it."""

    def __init__(self, page, url):
        self.page, self.url = page, url

    def open(self):
        self.page.open(self.url)
        return self

    def start(self, text):
        self.page.fill("#prompt", text)
        self.page.click("#send[aria-label=Send]")

    def ask(self, text):
        self.start(text)
        self.finished()

    def finished(self):
        self.page.wait("document.querySelector('.message.assistant:last-child[aria-busy=false]')")

    def answer(self):
        return self.page.text(".message.assistant:last-child .message-body > .markdown").rstrip("\n")

    def has_answer(self, text):
        self.page.wait(f"document.querySelector('.message.assistant:last-child .message-body > .markdown')"
                       f"?.textContent.includes({json.dumps(text)})")

    def titles(self):
        return self.page.texts(".conversation-link")

    def wait_titles(self, titles):
        self.page.wait("JSON.stringify([...document.querySelectorAll('.conversation-link')].map((e) => e.textContent))"
                       f" === {json.dumps(json.dumps(titles, separators=(',', ':'), ensure_ascii=False))}")

    def hover(self, selector):
        """Buttons that show when the pointer is over something can be clicked then."""
        self.page.run(f"document.querySelector({json.dumps(selector)}).focus()")


@pytest.fixture
def page(browser):
    with browser.page() as tab:
        yield tab


@pytest.fixture
def chat(page, server):
    return Chat(page, server.url).open()


@pytest.fixture(scope="session")
def real_url(request):
    """The address of a real server."""
    url = os.environ.get("PONDER_WEB_URL", "").rstrip("/")
    if url:
        yield url
        return
    binary, model = (request.getfixturevalue(name) for name in ("ponder_bin", "coder_half_b"))
    with Server(binary, "-m", f"coder={model}", "--ctx", 4096) as server:
        server.wait_ready()
        yield server.url


@pytest.fixture(params=["fake", "real"])
def any_chat(page, request):
    """The chat of the fake server, and of a real one."""
    if request.param == "fake":
        with FakeServer() as fake:
            fake.will_answer(words("One two three."), words("One two three."), words("one ") * 5 + [hold("for ever")])
            yield Chat(page, fake.url).open()
        return
    chat = Chat(page, request.getfixturevalue("real_url"))
    key = os.environ.get("PONDER_WEB_KEY")
    page.open(chat.url)
    if key:
        page.run(f"localStorage.setItem('ponder.apiKey', {json.dumps(key)})")
        page.reload()
    yield chat
