"""What must hold against any server that speaks the API: `ponder serve` and the fake one."""
import json
import os
import re
import urllib.error
import urllib.request

import pytest

import site_files

SLOW = "Count from 1 to 400 in words, one number a line, and leave none out."


def fetched(url):
    key = os.environ.get("PONDER_WEB_KEY")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def test_ask_again_edit_and_reload(any_chat, page):
    chat = any_chat
    chat.ask("Say hello.")
    first = chat.answer()
    assert first.strip()
    assert page.count(".notice.error") == 0
    assert "tokens/s" in page.text(".message.assistant .stats")
    assert page.text("#context-words")
    page.click(".message.assistant .regenerate")
    page.wait("document.querySelector('.branches span')?.textContent === '2/2'")
    chat.finished()
    page.click(".message.user .edit")
    page.fill(".edit-area", SLOW)
    page.press("Enter")
    page.wait("document.querySelector('.message.assistant .message-body > .markdown').textContent.length > 5")
    page.press("Escape")
    chat.finished()
    assert "Stopped" in page.text(".message.assistant .notice")
    half = chat.answer()
    page.reload()
    chat.has_answer(half.strip()[:5])
    assert page.text(".message.user .branches span") == "2/2"
    page.click(".message.user .branches [aria-label='Previous version']")
    page.wait("document.querySelector('.message.assistant .branches span')?.textContent === '2/2'")
    page.fill("#search", "hello")
    page.wait("document.querySelectorAll('.conversation-link').length === 1")
    assert page.errors == []


def test_half_an_answer_survives_leaving(any_chat, page):
    any_chat.ask("Say hello.")
    any_chat.ask("And again.")
    any_chat.start(SLOW)
    page.wait("document.querySelector('.message.assistant:last-child .message-body > .markdown')?.textContent.length > 5")
    page.reload()
    page.wait("document.querySelector('.message.assistant:last-child .message-body > .markdown')?.textContent.length > 5")
    assert "Interrupted" in page.text(".message.assistant:last-child .notice")


def test_phone_width(any_chat, page):
    page.size(360, 740, phone=True)
    page.reload()
    any_chat.ask("Say hello.")
    assert page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_status_page(any_chat, page):
    page.open(any_chat.url + "/status")
    page.wait("document.querySelectorAll('canvas').length === 6 && document.querySelector('#models li')")
    assert page.text("#state-words") == "Running"


def test_headers_and_files(any_chat):
    for path in site_files.files():
        with urllib.request.urlopen(any_chat.url + path) as answer:
            for name, value in site_files.headers():
                assert answer.headers[name] == value, (path, name)
            assert answer.read() == site_files.files()[path].read_bytes(), path


def test_what_is_known_is_not_sent_again(real_url):
    with urllib.request.urlopen(real_url + "/") as answer:
        tag = answer.headers["ETag"]
    request = urllib.request.Request(real_url + "/", headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError) as known:
        urllib.request.urlopen(request)
    assert known.value.code == 304


def test_metrics_have_the_names_that_the_status_page_reads(real_url):
    text = fetched(real_url + "/metrics")
    for state in ("used", "cached", "free"):
        assert re.search(rf'^ponder_kv_pages{{.*state="{state}"', text, re.MULTILINE), state
    for name in ("requests_running", "requests_waiting", "prompt_tokens_total", "cached_tokens_total", "generated_tokens_total",
                 "time_to_first_token_seconds_bucket", "time_per_token_seconds_bucket", "drafted_tokens_total",
                 "accepted_tokens_total"):
        assert f"\nponder_{name}" in text, name


def test_only_models_that_think_are_told_to(page, server, real_url):
    shown = "!document.querySelector('#think').hidden && document.querySelector('#model').value"
    page.open(server.url)
    page.wait(shown)
    models = json.loads(fetched(real_url + "/v1/models"))["data"]
    page.open(real_url)
    page.wait(shown if models[0]["meta"]["reasons"] else "document.querySelector('#think').hidden")


def test_models_tell_their_context(real_url):
    for model in json.loads(fetched(real_url + "/v1/models"))["data"]:
        assert model["meta"]["n_ctx"] > 0
