"""Chromium without a window, driven by the DevTools protocol over a pipe: no driver program and no
Python package is needed.

    with Browser(folder) as browser, browser.page() as page:
        page.open("http://…")
        page.wait("document.body.dataset.ready")
"""
import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

LIMIT = 30  # seconds that something may take until it is called a failure
POLL = 0.03

KEYS = {"Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "Tab": ("Tab", 9, "")}


def program():
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.number = 0
        self.buffer = b""
        self.sessions = {}

    def __enter__(self):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def pipes():  # Chromium reads commands from 3 and writes to 4
            os.dup2(theirs_in, 103)
            os.dup2(theirs_out, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen(
            [program(), "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--window-size=1280,860", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.reader, self.writer = ours_in, ours_out
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.reader)
        os.close(self.writer)

    def call(self, method, params=None, session=None):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writer, data):]
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.read(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.reader], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.reader, 1 << 20)
            if not data:
                raise RuntimeError("the browser has gone")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(line)
        page = self.sessions.get(message.get("sessionId"))
        if page and "method" in message:
            page.note(message["method"], message["params"])
        return message

    def page(self, width=1280, height=860):
        return Page(self, width, height)


class Page:
    """A tab with storage of its own. What it did is kept: `errors` (exceptions and messages of the
    console), `urls` (all that it asked for), `dialogs`."""

    def __init__(self, browser, width, height):
        self.browser = browser
        self.errors, self.urls, self.dialogs = [], [], []
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", {"url": "about:blank", "browserContextId": self.context})
        self.target = target["targetId"]
        self.session = browser.call("Target.attachToTarget", {"targetId": self.target, "flatten": True})["sessionId"]
        browser.sessions[self.session] = self
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", {"browserContextId": self.context})
        self.browser.sessions.pop(self.session, None)

    def call(self, method, params=None):
        return self.browser.call(method, params, self.session)

    def note(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.urls.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])

    def size(self, width, height, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone})
        self.call("Emulation.setTouchEmulationEnabled", {"enabled": phone})

    def dark(self, on=True):
        self.call("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})

    def open(self, url):
        self.call("Page.navigate", {"url": url})
        self.wait("document.readyState === 'complete' && document.body && document.body.dataset.ready")

    def reload(self):
        self.run("document.body.removeAttribute('data-ready')")
        self.call("Page.reload")
        self.wait("document.readyState === 'complete' && document.body && document.body.dataset.ready")

    def run(self, expression):
        """The value of an expression, which may be a promise."""
        answer = self.call("Runtime.evaluate", {
            "expression": expression, "returnByValue": True, "awaitPromise": True, "userGesture": True})
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(f"{expression}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def wait(self, expression, limit=LIMIT):
        """Until the expression is true; its value."""
        deadline = time.monotonic() + limit
        while True:
            try:
                value = self.run(expression)
            except RuntimeError as failure:  # the page is just being left
                if "context" not in str(failure):
                    raise
                value = None
            if value or value == {}:  # an element arrives as {}
                return value
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(POLL)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)")

    def count(self, selector):
        return self.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def click(self, selector):
        """A real click in the middle of the element, after it has come into view."""
        place = self.wait(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            if (!e || e.disabled) return null;
            e.scrollIntoView({{block: 'center', behavior: 'instant'}});
            const r = e.getBoundingClientRect();
            return r.width && {{x: r.x + r.width / 2, y: r.y + r.height / 2}};
        }})()""")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {**place, "type": kind, "button": "left", "clickCount": 1})

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def press(self, key, control=False, shift=False):
        name, code, text = KEYS.get(key) or (key, ord(key.upper()), key)
        modifiers = (2 if control else 0) | (8 if shift else 0)
        event = {"key": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        down = {**event, "type": "keyDown"} if not control else {**event, "type": "rawKeyDown"}
        if text and not control:
            down["text"] = text
        self.call("Input.dispatchKeyEvent", down)
        self.call("Input.dispatchKeyEvent", {**event, "type": "keyUp"})

    def fill(self, selector, text):
        self.run(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            e.focus();
            e.select?.();
        }})()""")
        if text:
            self.type(text)
        else:
            self.call("Input.dispatchKeyEvent", {"type": "keyDown", "key": "Delete", "windowsVirtualKeyCode": 46})

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        Path(path).write_bytes(base64.b64decode(data))
