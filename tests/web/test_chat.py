"""The chat page against the fake server: sending, thinking, stopping, branches, errors, settings."""
import pytest

from fake_server import CUT, content, fail, hold, reasoning, stream_error, words


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


def test_code_in_a_message_is_shown_as_code(chat, server, page):
    text = "Why?\n\n```Python\nif a < 2:\n    b(`<b>`)\n```\nand `this` *stays*\n~~~~\n```\nno end"
    chat.ask(text)
    assert server.requests[0]["messages"][0]["content"] == text
    assert page.texts(".bubble pre") == ["if a < 2:\n    b(`<b>`)", "```\nno end"]
    assert page.texts(".bubble .code-head span") == ["python", "text"]
    assert page.texts(".bubble > div:not(.code-box)") == ["Why?\n", "and `this` *stays*"]
    assert page.run("document.querySelectorAll('.bubble pre .hljs-keyword').length") == 1
    page.click(".message.user .edit")
    assert page.run("document.querySelector('.edit-area').value") == text


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
    page.wait("document.querySelector('.thoughts').textContent.trim() === 'I wonder'")
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


def test_a_server_that_cannot_be_reached(chat, page):
    page.call("Network.emulateNetworkConditions", {
        "offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
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
