"""What the browser keeps: history, half answers, search, export and import."""
import json

import pytest

from fake_server import content, hold, reasoning


def stored(page):
    """What the browser keeps, by title."""
    conversations = page.run("""(async () => {
        const db = await new Promise((done) => { const r = indexedDB.open('ponder'); r.onsuccess = () => done(r.result); });
        const r = db.transaction('conversations').objectStore('conversations').getAll();
        return new Promise((done) => { r.onsuccess = () => done(r.result); });
    })()""")
    return {c["title"]: c for c in conversations}


def test_history_is_there_after_a_reload(chat, server, page):
    server.will_answer([reasoning("hm"), content("kept *answer*")])
    chat.ask("Remember")
    page.reload()
    chat.has_answer("kept answer")
    assert page.texts(".bubble") == ["Remember"]
    assert page.text(".thinking-label").startswith("Thought for")
    assert chat.titles() == ["Remember"]
    assert page.run("document.title") == "Remember – Ponder"


def test_half_an_answer_is_there_after_a_reload(chat, server, page):
    server.will_answer([reasoning("deep thoughts"), content("The first half"), hold("never")], [content("whole")])
    chat.start("Tell")
    chat.has_answer("The first half")
    page.reload()
    chat.has_answer("The first half")
    assert "Interrupted" in page.text(".message.assistant .notice")
    assert page.text(".thinking-label").startswith("Thought for")
    page.click(".message.assistant .regenerate")
    chat.has_answer("whole")
    chat.finished()


def test_half_an_answer_is_there_after_a_crash(chat, server, page):
    """The journal is written when the page is left; a crash leaves what was saved on the way."""
    server.will_answer([content("piece"), hold("more"), content(" and piece"), hold("never")])
    chat.start("Tell")
    chat.has_answer("piece")
    page.wait("performance.now() > 2000")
    server.release("more")
    chat.has_answer("piece and piece")
    page.wait("""new Promise((done) => { const r = indexedDB.open('ponder'); r.onsuccess = () => {
        const all = r.result.transaction('conversations').objectStore('conversations').getAll();
        all.onsuccess = () => { r.result.close(); done(JSON.stringify(all.result).includes('piece and piece')); }; }; })""")


def test_answers_go_on_while_another_conversation_is_read(chat, server, page):
    server.will_answer([content("short")], [content("begin"), hold("end"), content(" end")])
    chat.ask("first chat")
    page.click("#new-chat")
    chat.start("second chat")
    chat.has_answer("begin")
    page.run("[...document.querySelectorAll('.conversation-link')].at(-1).click()")
    chat.has_answer("short")
    assert page.run("document.querySelector('#send').getAttribute('aria-label')") == "Send"
    server.release("end")
    page.wait("!document.querySelector('.conversation .pulse')")
    page.run("document.querySelector('.conversation-link').click()")
    chat.has_answer("begin end")


def test_search_looks_into_titles_and_messages(chat, server, page):
    server.will_answer([content("The capital is Paris.")], [content("Blue, by scattering.")])
    chat.ask("About France")
    page.click("#new-chat")
    chat.ask("About the sky")
    page.fill("#search", "SCATTERING sky")
    chat.wait_titles(["About the sky"])
    page.fill("#search", "paris")
    chat.wait_titles(["About France"])
    page.fill("#search", "paris scattering")
    chat.wait_titles([])
    assert page.text("#no-conversations") == "Nothing found."
    page.press("Escape")
    chat.wait_titles(["About the sky", "About France"])


def test_rename_and_delete_with_undo(chat, page):
    chat.ask("First words")
    chat.wait_titles(["First words"])
    page.run("document.querySelector('[aria-label=\"Rename First words\"]').click()")
    page.fill(".rename", "A better name")
    page.press("Enter")
    chat.wait_titles(["A better name"])
    chat.ask("More")
    chat.wait_titles(["A better name"])
    page.run("document.querySelector('[aria-label=\"Delete A better name\"]').click()")
    chat.wait_titles([])
    assert page.count(".message") == 0
    page.click("#toast button")
    chat.wait_titles(["A better name"])
    page.click(".conversation-link")
    page.wait("document.querySelectorAll('.message').length === 4")


def test_export_and_import(chat, server, page, browser, tmp_path):
    server.will_answer([reasoning("hm"), content("one")], [content("two")])
    chat.ask("Question")
    page.click(".message.assistant .regenerate")
    chat.has_answer("two")
    chat.finished()
    browser.call("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(tmp_path), "browserContextId": page.context})
    before = stored(page)
    page.click("#export")
    page.wait("new Promise((done) => setTimeout(() => done(true), 300))")
    file, = wait_for_files(page, tmp_path)
    exported = json.loads(file.read_text())
    assert exported["format"] == "ponder-conversations"
    assert [c["title"] for c in exported["conversations"]] == ["Question"]

    with browser.page() as other:
        other.open(chat.url)
        choose_file(other, file)
        other.wait("document.querySelectorAll('.conversation-link').length === 1")
        other.click(".conversation-link")
        other.wait("document.querySelector('.message.assistant .markdown:not(.thoughts)')?.textContent.trim() === 'two'")
        assert other.text(".branches span") == "2/2"
        messages = lambda kept: [{k: m[k] for k in ("id", "parent", "role", "content")} for m in kept["Question"]["messages"]]
        assert messages(stored(other)) == messages(before)


def wait_for_files(page, folder):
    for _ in range(100):
        files = [f for f in folder.iterdir() if f.suffix == ".json"]
        if files:
            return files
        page.run("new Promise((done) => setTimeout(done, 50))")
    raise AssertionError("nothing was downloaded")


def choose_file(page, file):
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", {"nodeId": root, "selector": "#import-file"})["nodeId"]
    page.call("DOM.setFileInputFiles", {"files": [str(file)], "nodeId": node})


@pytest.mark.parametrize("text,words_shown", [
    ("no json {", "This file is not JSON."),
    ('{"a": 1}', "This file holds no conversations exported from here."),
    (json.dumps({"format": "ponder-conversations", "conversations": [
        None, 3, {"messages": []}, {"messages": [{"id": "a", "parent": "a", "role": "user", "content": "x"}]},
        {"messages": [{"id": "a", "parent": "", "role": "root", "content": "x"}]},
        {"id": "../x", "messages": [{"id": "a", "parent": "", "role": "user", "content": 5}]}]}),
     "0 conversations imported."),
])
def test_files_that_are_no_export(chat, page, tmp_path, text, words_shown):
    file = tmp_path / "bad.json"
    file.write_text(text)
    choose_file(page, file)
    page.wait(f"document.querySelector('#toast').textContent === {json.dumps(words_shown)}")
    assert chat.titles() == []
    assert page.errors == []
