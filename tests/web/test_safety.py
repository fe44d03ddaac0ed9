"""Nothing that a model, a file or a server says can run a script, load something from elsewhere or get
around the content security policy."""
import json

import pytest

import site_files
from fake_server import content, fail, reasoning
from xss_corpus import AWAY, CORPUS, HEAVY, HIT, HTML, LINKS

SAFE_TAGS = """p br hr strong em del b i u s sub sup kbd mark small code pre blockquote ul ol li h1 h2 h3 h4 h5 h6
a span table thead tbody tr th td details summary div button svg use""".split()

# Elements and attributes under `root` that should not be there. KaTeX builds its own, checked by the
# test of its options; of the page's own there are icons and copy buttons.
FOREIGN = """(root) => {
    const bad = [];
    for (const e of root.querySelectorAll('*')) {
        for (const { name, value } of e.attributes) {
            if (name.startsWith('on') || name === 'id' || name === 'srcdoc' || name === 'formaction') bad.push(`${e.tagName} ${name}`);
            if (name === 'href' && e.tagName === 'A' && !/^(https?:\\/\\/|mailto:)/i.test(value)) bad.push(value);
            if (/href|src/.test(name) && e.tagName !== 'A' && !/^#i-[a-z]+$/.test(value)) bad.push(`${e.tagName} ${value}`);
        }
        if (e.tagName === 'A' && e.rel !== 'noopener noreferrer nofollow') bad.push('a without rel');
        if (!e.closest('.katex') && !TAGS.includes(e.localName)) bad.push(e.localName);
        if (/^(script|iframe|object|embed|img|video|audio|form|input|link|meta|base|style|template|foreignobject|image)$/
            .test(e.localName)) bad.push(e.localName);
    }
    return bad;
}""".replace("TAGS", json.dumps(SAFE_TAGS))


def assert_quiet(page, url):
    """No script ran, and nothing was asked of anybody but our server."""
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("window.hit") is None
    assert page.dialogs == []
    assert [u for u in page.urls if not u.startswith((url, "about:blank", "data:"))] == []
    assert page.run("location.href").startswith(url)


def test_the_corpus_is_large():
    assert len(CORPUS) - len(HEAVY) >= 100
    assert len(set(CORPUS)) == len(CORPUS)


def test_the_corpus_bites_where_nothing_guards(browser, server):
    """On a page without policy and filter much of it fires; else the tests below would prove nothing."""
    with browser.page() as page:
        fired = 0
        for payload in HTML:
            fired += page.run(f"""new Promise((done) => {{
                window.hit = undefined;
                document.body.innerHTML = '';
                const range = document.createRange();
                range.selectNode(document.body);
                document.body.append(range.createContextualFragment({json.dumps(payload)}));
                setTimeout(() => done(window.hit === 1 ? 1 : 0), 40);
            }})""") if "http-equiv" not in payload and "iframe" not in payload else 0
        assert fired >= 20
        page.run(f"document.body.innerHTML = {json.dumps(f'<img src={AWAY}a.png>')}")
        page.wait("new Promise((done) => setTimeout(() => done(true), 100))")
        assert AWAY + "a.png" in page.urls
        assert page.run(f"""(({FOREIGN})((() => {{ const d = document.createElement('div');
            d.innerHTML = '<a href="javascript:1">x</a><img onerror=1>'; return d; }})())).length""") >= 4


@pytest.mark.parametrize("first", range(0, len(CORPUS), 25))
def test_no_prefix_of_any_text_does_harm(chat, page, first):
    """Drawn as it grows, letter by letter where that is short."""
    texts = CORPUS[first:first + 25]
    found = page.run(f"""(async () => {{
        const {{ MarkdownView }} = await import('./assets/js/markdown.js');
        const foreign = {FOREIGN};
        const bad = [];
        for (const text of {json.dumps(texts)}) {{
            const view = new MarkdownView(document.body.appendChild(document.createElement('div')));
            const step = text.length > 400 ? Math.ceil(text.length / 3) : 1;
            for (let end = step; end < text.length; end += step) {{
                view.update(text.slice(0, end), false);
                bad.push(...foreign(view.element));
            }}
            view.update(text, true);
            bad.push(...foreign(view.element).map((what) => `${{text.slice(0, 60)}}: ${{what}}`));
            for (const e of view.element.querySelectorAll('*')) {{
                e.dispatchEvent(new MouseEvent('mouseover', {{ bubbles: true }}));
                e.focus?.();
            }}
        }}
        return bad;
    }})()""")
    assert found == []
    assert_quiet(page, chat.url)
    assert page.errors == []


def test_the_corpus_in_a_conversation(chat, server, page):
    """As answer, thought, question, title and name of a model, and once more from the browser's store."""
    server.models = [(HTML[5], 100), ("b", 100)]
    page.reload()
    page.click("#settings")
    page.click("#set-openThoughts")
    page.press("Escape")
    texts = [t for t in CORPUS if t not in HEAVY]
    everything = "\n\n".join(texts)
    server.will_answer([reasoning(everything), content(everything)])
    chat.ask(f"<img src=x onerror={HIT}> {everything}")
    server.will_answer([fail(400, f"<img src=x onerror={HIT}><script>{HIT}</script>")])
    chat.ask("again")
    assert f"onerror={HIT}" in page.text(".notice.error")
    for again in (False, True):
        if again:
            page.reload()
            page.wait("document.querySelectorAll('.message').length === 4")
        assert page.text(".conversation-link").startswith("<img src=x")
        for link in page.run("[...document.querySelectorAll('.markdown a')].map((a) => a.href)"):
            assert link.startswith(("http://x/", "http://evil.invalid/", "")), link
        assert page.run(f"""[...document.querySelectorAll('.markdown')].flatMap({FOREIGN})""") == []
        assert_quiet(page, chat.url)


def test_links_lead_nowhere_but_to_the_web(chat, page):
    hrefs = page.run(f"""(async () => {{
        const {{ MarkdownView }} = await import('./assets/js/markdown.js');
        return {json.dumps(LINKS[:22])}.flatMap((text) => {{
            const view = new MarkdownView(document.createElement('div'));
            view.update(text, true);
            return [...view.element.querySelectorAll('a[href]')].map((a) => `${{text}} → ${{a.getAttribute('href')}}`);
        }});
    }})()""")
    assert hrefs == []
    good = page.run("""(async () => {
        const { MarkdownView } = await import('./assets/js/markdown.js');
        const view = new MarkdownView(document.createElement('div'));
        view.update('[a](https://a.org/?q=1&r=2) <http://b.org> [m](mailto:x@y.z) https://c.org/d', true);
        return [...view.element.querySelectorAll('a')].map((a) => a.getAttribute('href'));
    })()""")
    assert good == ["https://a.org/?q=1&r=2", "http://b.org", "mailto:x@y.z", "https://c.org/d"]


def test_imported_files_are_texts(chat, page, tmp_path):
    from test_kept import choose_file
    bad = f"<img src=x onerror={HIT}>"
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({"format": "ponder-conversations", "conversations": [
        {"id": "__proto__", "title": bad, "system": bad, "choice": {"": "b", "__proto__": "c"}, "messages": [
            {"id": "b", "parent": "", "role": "user", "content": bad, "model": bad},
            {"id": f'c"{bad}', "parent": "b", "role": "assistant", "content": bad, "reasoning": bad, "finish": bad,
             "error": {"message": bad}, "usage": {"prompt_tokens": bad, "completion_tokens": 1e308}, "tokens": 3}]}]}))
    choose_file(page, file)
    page.wait("document.querySelectorAll('.conversation-link').length === 1")
    page.click(".conversation-link")
    page.wait("document.querySelectorAll('.message').length === 2")
    assert page.run(f"({FOREIGN})(document.querySelector('.message.assistant .markdown'))") == []
    assert bad in page.text(".notice.error")
    assert page.run("({}).b") is None
    assert_quiet(page, chat.url)


@pytest.mark.parametrize("attack", [
    "const s = document.createElement('script'); s.textContent = 'window.hit=1'; document.body.append(s)",
    "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.hit=1>')",
    "const s = document.createElement('script'); s.src = 'data:text/javascript,window.hit=1'; document.body.append(s)",
    "setTimeout('window.hit=1', 0)",
    "const b = document.createElement('button'); b.setAttribute('onclick', 'window.hit=1'); document.body.append(b); b.click()",
    "const f = document.createElement('iframe'); f.src = 'http://evil.invalid/'; document.body.append(f)",
    "const i = new Image(); i.src = 'http://evil.invalid/a.png'",
    "fetch('http://evil.invalid/').catch(() => {})",
    "const f = document.createElement('form'); f.action = 'http://evil.invalid/'; document.body.append(f); f.submit()",
    "const d = document.createElement('div'); d.innerHTML = '<p>x</p>'; document.body.append(d)",
])
def test_the_policy_would_stop_what_the_filter_missed(chat, page, attack):
    """Even code of the page itself cannot do it."""
    page.call("Page.setBypassCSP", {"enabled": False})
    page.run(f"(() => {{ window.stopped = 0; addEventListener('securitypolicyviolation', () => {{ window.stopped += 1; }});"
             f" try {{ {attack} }} catch (failure) {{ window.thrown = String(failure); }} }})()")
    page.wait("window.stopped > 0 || window.thrown")
    assert page.run("window.hit") is None
    assert page.run("location.href").startswith(chat.url)


def test_our_scripts_make_no_html():
    """The places where text could become HTML, by name; none may be used."""
    for file in (site_files.WEB / "js").glob("*.js"):
        text = file.read_text()
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment",
                     "eval(", "new Function", "parseFromString", "srcdoc", "setHTMLUnsafe"):
            assert sink not in text, f"{file.name}: {sink}"
