"""How it looks and is used: Markdown, keys, screen readers, contrast, phones."""
import json

import pytest

import samples
from fake_server import content, hold, reasoning, words


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
