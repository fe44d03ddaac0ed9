"""A server that looks to the pages like `ponder serve`, and says what a test tells it to.

    with FakeServer() as server:
        server.will_answer([reasoning("hm"), content("Hello"), hold("gate"), content(" world")])

Each request for an answer takes the next script, the last again and again; all requests are kept in
`requests`. hold(name) waits until release(name), so that no test depends on time.

    tests/web/fake_server.py [PORT]     serves the pages with a few scripts, to look at them
"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import site_files as site

HOLD_LIMIT = 60  # seconds; a test that forgets to release fails instead of hanging


def reasoning(text):
    return {"delta": {"reasoning_content": text, "reasoning": text}}


def content(text):
    return {"delta": {"content": text}}


def words(text, make=content):
    """One piece a word, as a model writes."""
    pieces = text.replace(" ", " \0").split("\0")
    return [make(piece) for piece in pieces]


def hold(name):
    return {"hold": name}


def pause(seconds):
    """For looking only."""
    return {"pause": seconds}


def fail(status, message, headers=()):
    """As the first of a script: an answer with this status."""
    return {"status": status, "message": message, "headers": dict(headers)}


def stream_error(message, code=500):
    return {"error": {"message": message, "type": "server_error", "param": None, "code": code}}


CUT = {"cut": True}  # the connection ends without an end of the answer


class FakeServer:
    def __init__(self, port=0, models=None):
        self.models = models or [("ponder-r1", 8192), ("other-model", 4096)]
        self.requests = []  # bodies of requests for answers
        self.keys = []  # their Authorization headers
        self.key = None  # asked for if set
        self.scripts = [[content("Hello.")]]
        self.metrics = ""
        self.disconnected = threading.Event()
        self.gates = {}
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"fake": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        for gate in list(self.gates.values()):
            gate.set()
        self.http.shutdown()
        self.http.server_close()

    def will_answer(self, *scripts):
        self.scripts = list(scripts)

    def next_script(self):
        with self.lock:
            return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

    def gate(self, name):
        with self.lock:
            return self.gates.setdefault(name, threading.Event())

    def release(self, name):
        self.gate(name).set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake = None

    def log_message(self, *_):
        pass

    def reply(self, status, body, content_type="application/json", headers=()):
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def reply_error(self, status, message, headers=()):
        error = {"message": message, "type": "error", "param": None, "code": None}
        self.reply(status, json.dumps({"error": error}), headers=headers)

    def allowed(self):
        key = self.fake.key
        if key is None or self.headers.get("Authorization") == f"Bearer {key}":
            return True
        self.reply_error(401, "The API key is missing or wrong.")
        return False

    def do_GET(self):
        path = self.path.split("?")[0]
        files = site.files()
        if path in files:
            file = files[path]
            self.reply(200, file.read_bytes(), site.TYPES[file.suffix], site.headers())
        elif path == "/v1/models":
            if self.allowed():
                data = [{"id": name, "object": "model", "created": 1, "owned_by": "ponder", "meta": {"n_ctx": ctx}}
                        for name, ctx in self.fake.models]
                self.reply(200, json.dumps({"object": "list", "data": data}))
        elif path == "/metrics":
            text = self.fake.metrics() if callable(self.fake.metrics) else self.fake.metrics
            self.reply(200, text, "text/plain; version=0.0.4")
        else:
            self.reply_error(404, f"There is no {path}.")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            return self.reply_error(404, f"There is no {self.path}.")
        self.fake.keys.append(self.headers.get("Authorization"))
        self.fake.requests.append(body)
        if not self.allowed():
            return None
        script = self.fake.next_script()
        if script and "status" in script[0]:
            first = script[0]
            return self.reply_error(first["status"], first["message"], first["headers"].items())
        return self.stream(body, script)

    def stream(self, body, script):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.write_script(body, script)
        except OSError:
            self.fake.disconnected.set()

    def event(self, body, choices, **more):
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model"),
                 "choices": choices, **more}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def wait_at(self, gate):
        """Keep-alive comments while waiting, as the program sends them: they also tell when the page
        has gone."""
        for _ in range(HOLD_LIMIT * 20):
            if gate.wait(0.05):
                return
            self.wfile.write(b": keep-alive\n\n")
            self.wfile.flush()

    def write_script(self, body, script):
        def choice(delta, finish=None):
            return [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]

        self.event(body, choice({"role": "assistant", "content": ""}))
        counts = {"reasoning_content": 0, "content": 0}
        for step in script:
            if "hold" in step:
                self.wait_at(self.fake.gate(step["hold"]))
            elif "pause" in step:
                threading.Event().wait(step["pause"])
            elif "error" in step:
                self.wfile.write(f"data: {json.dumps(step)}\n\n".encode())
                return
            elif "cut" in step:
                return
            else:
                for kind in counts:
                    counts[kind] += kind in step["delta"]
                self.event(body, choice(step["delta"]))
        completion = sum(counts.values())
        prompt = 10 * len(body["messages"])
        self.event(body, choice({}, "stop"),
                   timings={"predicted_n": completion, "predicted_ms": 100.0 * completion,
                            "predicted_per_second": 12.5})
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                 "completion_tokens_details": {"reasoning_tokens": counts["reasoning_content"]}}
        self.event(body, [], usage=usage)
        self.wfile.write(b"data: [DONE]\n\n")


if __name__ == "__main__":
    import samples
    with FakeServer(int(sys.argv[1]) if len(sys.argv) > 1 else 8090) as fake:
        fake.will_answer(samples.slow_answer())
        fake.metrics = samples.Load()
        print(fake.url)
        threading.Event().wait()
