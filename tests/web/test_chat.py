"""The chat page against the fake server: each thing that somebody does with it."""
import json

import pytest

import samples
from fake_server import CUT, content, fail, hold, reasoning, stream_error, words


def stored(page):
    """What the browser keeps, by title."""
    conversations = page.run("""(async () => {
        const db = await new Promise((done) => { const r = indexedDB.open('ponder'); r.onsuccess = () => done(r.result); });
        const r = db.transaction('conversations').objectStore('conversations').getAll();
        return new Promise((done) => { r.onsuccess = () => done(r.result); });
    })()""")
    return {c["title"]: c for c in conversations}


# ---- sending and streaming

def test_a_message_is_sent_and_its_answer_streamed(chat, server, page):
    server.will_answer([content("Hello "), hold("rest"), content("**world**")])
    chat.start("Hi there")
    chat.has_answer("Hello ")
    assert page.text(".message.user .bubble") == "Hi there"
    assert page.run("document.querySelector('.message.assistant').getAttribute('aria-busy')") == "true"
    server.release("rest")
    chat.finished()
    assert chat.answer() == "Hello world"
    assert page.text(".message.assistant strong") == "world"
    assert server.requests == [{"model": "ponder-r1", "messages": [{"role": "user", "content": "Hi there"}],
                                "stream": True, "stream_options": {"include_usage": True}}]
    assert page.errors == []


def test_the_conversation_so_far_goes_along(chat, server):
    server.will_answer([reasoning("secret thoughts"), content("First.")])
    chat.ask("One")
    chat.ask("Two")
    assert server.requests[1]["messages"] == [
        {"role": "user", "content": "One"}, {"role": "assistant", "content": "First."},
        {"role": "user", "content": "Two"}]


def test_enter_sends_and_shift_enter_makes_a_line(chat, server, page):
    page.fill("#prompt", "a")
    page.press("Enter", shift=True)
    page.type("b")
    assert page.run("document.querySelector('#prompt').value") == "a\nb"
    page.press("Enter")
    chat.finished()
    assert server.requests[0]["messages"][0]["content"] == "a\nb"
    assert page.run("document.querySelector('#prompt').value") == ""


def test_an_empty_message_is_not_sent(chat, server, page):
    assert page.run("document.querySelector('#send').disabled")
    page.fill("#prompt", "  \n ")
    page.press("Enter")
    assert page.run("document.querySelector('#send').disabled")
    assert server.requests == []


def test_letters_are_whole_however_the_bytes_are_cut(chat, server):
    text = "Grüße, 你好, 👩‍👩‍👧! ✓"
    server.will_answer([content(c) for c in text])
    chat.ask("Hi")
    assert chat.answer() == text


def test_figures_of_an_answer(chat, server, page):
    server.will_answer(words("one two three four", reasoning) + words("five six"))
    chat.ask("Count")
    stats = page.text(".message.assistant .stats")
    assert "6 tokens" in stats and "12.5 tokens/s" in stats and "first after" in stats
    assert page.text("#context-words") == "16 of 8,192 tokens"
    assert page.run("document.querySelector('#context-bar').value") == pytest.approx(16 / 8192)


# ---- thinking

def test_thoughts_are_folded_and_counted_while_they_come(chat, server, page):
    server.will_answer([reasoning("I "), reasoning("wonder"), hold("answer"), content("Done.")])
    chat.start("Think")
    page.wait("document.querySelector('.thinking-label')?.textContent.endsWith('2 tokens')")
    assert page.text(".thinking-label").startswith("Thinking… 0 s · ") or "1 s" in page.text(".thinking-label")
    assert not page.run("document.querySelector('.thinking').open")
    page.click(".thinking summary")
    page.wait("document.querySelector('.thoughts').textContent === 'I wonder'")
    server.release("answer")
    chat.finished()
    assert page.text(".thinking-label").startswith("Thought for ")
    assert page.text(".thinking-label").endswith("· 2 tokens")
    assert page.run("document.querySelector('.thinking').open"), "it stays as the reader left it"
    assert chat.answer() == "Done."


def test_the_timer_of_thinking_runs(chat, server, page):
    server.will_answer([reasoning("hm"), hold("answer"), content("Done.")])
    chat.start("Think")
    page.wait("document.querySelector('.thinking-label')?.textContent.includes('1 s')")
    page.wait("document.querySelector('.thinking-label')?.textContent.includes('2 s')")
    server.release("answer")
    chat.finished()


def test_thinking_can_be_turned_off(chat, server, page):
    page.click("#think")
    assert page.run("document.querySelector('#think').getAttribute('aria-pressed')") == "false"
    chat.ask("Quick")
    assert server.requests[0]["chat_template_kwargs"] == {"enable_thinking": False}
    page.reload()
    assert page.run("document.querySelector('#think').getAttribute('aria-pressed')") == "false"


# ---- stopping, again, editing, branches

@pytest.mark.parametrize("how", ["Escape", "button"])
def test_stop(chat, server, page, how):
    server.will_answer([content("Half an "), hold("never"), content("answer")])
    chat.start("Go")
    chat.has_answer("Half an ")
    if how == "Escape":
        page.press("Escape")
    else:
        page.click("#send[aria-label='Stop (Esc)']")
    chat.finished()
    assert chat.answer().strip() == "Half an"
    assert "Stopped" in page.text(".message.assistant .notice")
    assert server.disconnected.wait(20), "the server is told"
    server.will_answer([content("Onward.")])
    chat.ask("Continue")
    assert server.requests[1]["messages"][1] == {"role": "assistant", "content": "Half an "}


def test_another_answer_is_a_branch(chat, server, page):
    server.will_answer([content("first")], [content("second")])
    chat.ask("Say")
    page.click(".message.assistant .regenerate")
    chat.has_answer("second")
    chat.finished()
    assert server.requests[0]["messages"] == server.requests[1]["messages"]
    assert page.text(".message.assistant .branches span") == "2/2"
    page.click(".branches [aria-label='Previous version']")
    chat.has_answer("first")
    assert page.text(".message.assistant .branches span") == "1/2"
    page.reload()
    chat.has_answer("first")
    page.click(".branches [aria-label='Next version']")
    chat.has_answer("second")


def test_editing_makes_a_branch_and_keeps_the_old_one(chat, server, page):
    server.will_answer([content("A1")], [content("A2")], [content("B1")])
    chat.ask("question one")
    chat.ask("question two")
    page.click(".message.user .edit")
    assert page.run("document.querySelector('.edit-area').value") == "question one"
    page.fill(".edit-area", "question three")
    page.press("Enter")
    chat.has_answer("B1")
    chat.finished()
    assert server.requests[2]["messages"] == [{"role": "user", "content": "question three"}]
    assert page.texts(".bubble") == ["question three"]
    assert page.text(".message.user .branches span") == "2/2"
    page.click(".message.user .branches [aria-label='Previous version']")
    page.wait("document.querySelectorAll('.bubble').length === 2")
    assert page.texts(".bubble") == ["question one", "question two"]


def test_editing_can_be_left(chat, page):
    chat.ask("as it was")
    page.click(".message.user .edit")
    page.fill(".edit-area", "otherwise")
    page.press("Escape")
    assert page.texts(".bubble") == ["as it was"]
    assert page.count(".branches") == 0


# ---- errors

@pytest.mark.parametrize("script,words_shown", [
    ([fail(429, "Too many requests.", {"Retry-After": "7"})], "Too many requests. Try again in 7 s."),
    ([fail(400, "The context is too small <b>here</b>.")], "The context is too small <b>here</b>."),
    ([content("so f"), stream_error("The model is gone.")], "The model is gone."),
    ([content("so f"), CUT], "The connection was lost in the middle of the answer."),
])
def test_an_error_is_shown_and_can_be_tried_again(chat, server, page, script, words_shown):
    server.will_answer(script, [content("Now it works.")])
    chat.ask("Try")
    assert page.text(".message.assistant .notice.error span") == words_shown
    page.click(".notice .retry")
    chat.has_answer("Now it works.")
    chat.finished()
    assert page.run("document.querySelector('.message:last-child .notice').hidden")
    assert server.requests[0] == server.requests[1]


def test_a_server_that_is_gone(chat, server, page):
    server.__exit__()
    chat.ask("Anybody?")
    assert "cannot be reached" in page.text(".notice.error")
    assert page.count(".retry") == 1


def test_the_api_key_is_asked_for_and_kept(chat, server, page):
    server.key = "sk-secret"
    page.reload()
    page.wait("!document.querySelector('#offline').hidden")
    assert "API key" in page.text("#offline-words")
    page.click("#offline-key")
    page.fill("#api-key", "sk-secret")
    page.wait("document.querySelector('#offline').hidden")
    page.press("Enter")
    page.reload()
    chat.ask("Hi")
    assert server.keys == ["Bearer sk-secret"]
    assert page.run("document.querySelector('#offline').hidden")


# ---- what is kept

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
        other.wait("document.querySelector('.message.assistant .markdown:not(.thoughts)')?.textContent === 'two'")
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


# ---- settings

def test_settings_are_sent_and_kept(chat, server, page):
    page.click("#settings")
    for name, value in [("temperature", "0.25"), ("top_p", "0.9"), ("top_k", "40"), ("min_p", "0.05"),
                        ("max_tokens", "99"), ("seed", "7"), ("budget", "500"), ("this-system", "Be brief.")]:
        page.fill(f"#set-{name}", value)
    page.click("#settings-dialog .main-button")
    page.wait("!document.querySelector('#settings-dialog').open")
    chat.ask("Hi")
    sent = server.requests[0]
    assert {k: sent.get(k) for k in ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed",
                                     "max_thinking_tokens")} == {
        "temperature": 0.25, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "max_tokens": 99, "seed": 7,
        "max_thinking_tokens": 500}
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    page.reload()
    page.click("#settings")
    assert page.run("document.querySelector('#set-top_k').value") == "40"
    assert page.run("document.querySelector('#set-this-system').value") == "Be brief."
    page.click("#reset-settings")
    page.press("Escape")
    page.click("#new-chat")
    chat.ask("Hi")
    assert set(server.requests[1]) == {"model", "messages", "stream", "stream_options"}
    assert len(server.requests[1]["messages"]) == 1, "a system prompt belongs to its conversation"


def test_a_value_out_of_range_is_not_taken(chat, server, page):
    page.click("#settings")
    page.fill("#set-temperature", "9")
    page.click("#close-settings")
    chat.ask("Hi")
    assert "temperature" not in server.requests[0]


def test_models_can_be_switched(chat, server, page):
    assert page.texts("#model option") == ["ponder-r1", "other-model"]
    page.run("""(() => { const m = document.querySelector('#model'); m.value = 'other-model';
             m.dispatchEvent(new Event('change', {bubbles: true})); })()""")
    chat.ask("Hi")
    assert server.requests[0]["model"] == "other-model"
    assert page.text("#context-words").endswith("of 4,096 tokens")
    page.reload()
    assert page.run("document.querySelector('#model').value") == "other-model"


# ---- showing

def test_markdown_maths_and_code(chat, server, page):
    server.will_answer(samples.answer())
    chat.ask("Prime test")
    assert page.count(".message-body > .markdown .katex") >= 8
    assert page.count(".math.display .katex-display") == 2
    assert page.count(".math.broken") == 0
    assert page.text(".code-head span") == "python"
    assert page.count(".code-box .hljs-keyword") > 5
    assert page.run("getComputedStyle(document.querySelector('.katex .vlist-t')).display") == "inline-table", \
        "the styles of formulas are there"
    assert page.run("document.querySelector('.katex .strut').style.height") != "", "KaTeX may set heights"
    assert page.count("table tbody tr") == 3
    assert page.run("document.querySelector('.markdown a').rel") == "noopener noreferrer nofollow"
    assert page.errors == []


@pytest.mark.parametrize("text,formulas", [
    ("costs $5 and $10 today", 0), ("it is $x$ and $y$", 2), ("\\(a\\) and \\[b\\]", 2), ("$$c$$", 1),
    ("`$a$` stays code", 0), ("```\n$a$\n```", 0), ("text\n$$\na\\\\b\n$$\ntext", 1), ("US$5, A$6", 0),
    ("- item $q$\n- other \\(r\\)", 2), ("$a_1$ and $b_2$ are *not* emphasis", 2), ("$unfinished", 0)])
def test_what_is_a_formula(chat, server, page, text, formulas):
    server.will_answer([content(text)])
    chat.ask("Hi")
    assert page.count(".markdown .math") == formulas
    assert page.count(".markdown .katex") == formulas


def test_streamed_in_pieces_looks_like_at_once(chat, page):
    """Every prefix is shown on the way; in the end nothing tells."""
    texts = [samples.ANSWER, "- a\n\n- b\n\n  c\n\n- d\n", "a\n===\nb\n\n\tcode\n\tmore\n\nend",
             "[x][1] first\n\nthen\n\n[1]: https://example.org\n", "| a | b |\n|-|-|\n| 1 | 2 |\n\nafter",
             "```py\nx\n\n\ny\n```\n\n~~~\n```\n~~~\n", "a\r\nb\r\n\r\nc\td\n \t e", "<details>\n<summary>s</summary>\nt\n</details>\n\nu"]
    different = page.run(f"""(async () => {{
        const {{ MarkdownView }} = await import('./assets/js/markdown.js');
        const make = () => new MarkdownView(document.createElement('div'));
        return {json.dumps(texts)}.filter((text) => {{
            const [grown, whole] = [make(), make()];
            for (let i = 1; i < text.length; i += 1) grown.update(text.slice(0, i), false);
            grown.update(text, true);
            whole.update(text, true);
            return grown.element.innerHTML !== whole.element.innerHTML;
        }});
    }})()""")
    assert different == []


def test_a_long_answer_is_drawn_in_steps_that_do_not_grow(chat, page):
    """20,000 tokens: settled blocks are not touched again."""
    text = "".join(p["delta"]["content"] for p in samples.long_answer(20000))
    redrawn = page.run(f"""(async () => {{
        const {{ MarkdownView }} = await import('./assets/js/markdown.js');
        const view = new MarkdownView(document.querySelector('#messages'));
        const text = {json.dumps(text)};
        let [steps, changed] = [0, 0];
        const watch = new MutationObserver(() => {{}});
        watch.observe(view.element, {{ childList: true }});
        for (let end = 500; end < text.length; end += 500, steps += 1) {{
            view.update(text.slice(0, end), false);
            changed += watch.takeRecords().reduce((n, r) => n + r.removedNodes.length, 0);
        }}
        return {{ steps, changed, blocks: view.element.childElementCount }};
    }})()""")
    assert redrawn["blocks"] > 100
    assert redrawn["changed"] <= redrawn["steps"], "at most the last block is made anew"


def test_copying(chat, server, page, browser):
    browser.call("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "browserContextId": page.context})
    server.will_answer([content("Some *text*\n\n```js\nlet a = 1 < 2;\n```\n")])
    chat.ask("Code")
    page.click(".message.assistant [aria-label='Copy']")
    page.wait("navigator.clipboard.readText().then((t) => t === 'Some *text*\\n\\n```js\\nlet a = 1 < 2;\\n```\\n')")
    page.click(".code-box [aria-label='Copy code']")
    page.wait("navigator.clipboard.readText().then((t) => t === 'let a = 1 < 2;')")


# ---- keys, readers, screens

def test_keys(chat, server, page):
    chat.ask("First")
    page.press("o", control=True, shift=True)
    page.wait("document.querySelectorAll('.message').length === 0")
    assert page.run("document.activeElement.id") == "prompt"
    page.press("k", control=True)
    page.wait("document.activeElement.id === 'search'")
    page.press("b", control=True)
    page.wait("document.querySelector('#sidebar').inert")
    page.press("b", control=True)
    page.wait("!document.querySelector('#sidebar').inert")
    page.run("document.activeElement.blur()")
    page.press("?")
    page.wait("document.querySelector('#help-dialog').open")
    page.press("Escape")
    page.wait("!document.querySelector('#help-dialog').open")
    page.press("/")
    page.wait("document.activeElement.id === 'prompt'")
    page.type("typed ? and /")
    assert not page.run("document.querySelector('#help-dialog').open")
    page.press(",", control=True)
    page.wait("document.querySelector('#settings-dialog').open")


def test_everything_can_be_reached_with_tab_and_has_a_name(chat, page):
    chat.ask("Hi")
    nameless = page.run("""[...document.querySelectorAll('button, a, input, select, textarea')]
        .filter((e) => !e.hidden && !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')))
        .map((e) => e.outerHTML)""")
    assert nameless == []
    page.run("document.activeElement.blur(); document.querySelector('.skip').focus()")
    reached = []
    for _ in range(40):
        reached.append(page.run("document.activeElement.id || document.activeElement.getAttribute('aria-label') || "
                                "document.activeElement.className"))
        page.press("Tab")
    order = [reached.index(name) for name in ("new-chat", "search", "menu", "model", "settings", "Edit", "Answer again",
                                              "prompt", "think")]
    assert order == sorted(order), reached


def test_those_who_hear_the_page_are_told(chat, server, page):
    page.run("""window.heard = []; new MutationObserver(() => heard.push(document.querySelector('#announcer').textContent))
             .observe(document.querySelector('#announcer'), {childList: true})""")
    server.will_answer([reasoning("hm"), hold("a"), content("yes"), hold("b")])
    chat.start("Go")
    page.wait("heard.includes('Thinking')")
    server.release("a")
    page.wait("heard.includes('Answering')")
    server.release("b")
    page.wait("heard.includes('Answer complete')")
    assert page.run("document.querySelector('#announcer').getAttribute('aria-live')") == "polite"


def test_dark_follows_the_system_and_can_be_chosen(chat, page):
    def paper():
        return page.run("getComputedStyle(document.body).backgroundColor")
    page.dark(False)
    page.wait("document.documentElement.dataset.theme === 'light'")
    light = paper()
    page.dark(True)
    page.wait("document.documentElement.dataset.theme === 'dark'")
    assert paper() != light
    page.click("#theme")
    page.wait("document.documentElement.dataset.theme === 'light'")
    assert paper() == light
    page.reload()
    assert page.run("document.documentElement.dataset.theme") == "light"
    page.click("#theme")
    page.wait("document.documentElement.dataset.themeChoice === 'dark'")


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(chat, server, page, dark):
    """Text on its background: 4.5 to 1 (WCAG AA)."""
    page.dark(dark)
    page.wait(f"document.documentElement.dataset.theme === '{'dark' if dark else 'light'}'")
    ratios = page.run("""(() => {
        const root = getComputedStyle(document.documentElement);
        const light = (name) => {
            const n = parseInt(root.getPropertyValue(name).trim().slice(1), 16);
            const [r, g, b] = [n >> 16, (n >> 8) & 255, n & 255].map((v) => v / 255)
                .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const pairs = [];
        for (const ink of ['--ink', '--muted', '--accent'])
            for (const paper of ['--paper', '--side', '--raised', '--sunk']) pairs.push([ink, paper]);
        for (const c of ['word', 'text', 'number', 'note', 'type']) pairs.push([`--code-${c}`, '--sunk']);
        pairs.push(['--second', '--sunk'], ['--danger', '--danger-soft'], ['--accent-ink', '--accent'],
                   ['--accent', '--accent-soft'], ['--ink', '--accent-soft'], ['--warm', '--raised']);
        return pairs.map(([a, b]) => {
            const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
            return [a, b, (x + 0.05) / (y + 0.05)];
        });
    })()""")
    assert [r for r in ratios if not r[2] >= 4.5] == []


def test_phone(chat, server, page):
    page.size(360, 740, phone=True)
    page.reload()
    server.will_answer(samples.answer() + words("\n\n" + "unbrokenword" * 40 + "\n\n$$" + "x+" * 200 + "x$$"))
    chat.ask("A long " + "word" * 60)
    for opened in ("", "#menu", "#settings"):
        if opened:
            page.run(f"document.querySelector('{opened}').click()")
        width = page.run("[document.documentElement, document.body, document.querySelector('#thread')].map("
                         "(e) => e.scrollWidth - e.clientWidth)")
        assert width == [0, 0, 0], opened
    page.press("Escape")
    page.wait("!document.querySelector('#settings-dialog').open")
    assert page.run("document.querySelector('#content').inert"), "behind the drawer nothing takes focus"
    page.run("document.querySelector('#scrim').click()")
    assert page.run("getComputedStyle(document.querySelector('#sidebar')).display") == "none"
    assert not page.run("document.querySelector('#content').inert")
    sizes = page.run("[...document.querySelectorAll('.topbar button, .send')].filter((e) => e.offsetWidth)"
                     ".map((e) => Math.min(e.offsetWidth, e.offsetHeight))")
    assert min(sizes) >= 32, "a finger can hit it"


def test_reading_above_is_not_disturbed(chat, server, page):
    server.will_answer(words("line\n\n" * 200) + [hold("more")] + words("more\n\n" * 50))
    chat.start("Long")
    page.wait("document.querySelectorAll('.message.assistant .block').length === 200")
    page.wait("(() => { const t = document.querySelector('#thread'); return t.scrollTop + t.clientHeight > t.scrollHeight - 90; })()")
    page.run("document.querySelector('#thread').scrollTop = 100")
    page.wait("!document.querySelector('#jump').hidden")
    server.release("more")
    chat.finished()
    assert page.run("document.querySelector('#thread').scrollTop") == 100
    page.click("#jump")
    page.wait("document.querySelector('#jump').hidden")
