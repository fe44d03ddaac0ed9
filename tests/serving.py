"""A server as a process, and plain requests to it."""
import http.client
import json
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from urllib.parse import urlsplit


class Server:
    """`ponder serve` on a free port, until the block ends."""

    def __init__(self, binary, *flags, env=None):
        self.command = [str(binary), "serve", "--port", "0", *map(str, flags)]
        self.env = env

    def __enter__(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        stdin=subprocess.DEVNULL, env=self.env)
        self.summary = ""
        for line in self.process.stdout:
            self.summary += line
            if line.startswith("Ctrl-C"):
                break
        found = re.search(r"chat +(https?://\S+?)/\n", self.summary)
        assert found, self.summary + self.log()
        self.url = found[1]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_ready(self):
        web = Web(self.url)
        while web.get("/ready").status != 200:
            assert self.process.poll() is None, self.log()
            time.sleep(0.05)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]

    def events(self):
        """The data of server-sent events, [DONE] left out."""
        blocks = self.body.decode().split("\n\n")
        lines = [line for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


class Web:
    def __init__(self, url, key=""):
        self.url, self.key = url, key
        self.address = urlsplit(url)

    def send(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=120)
        headers = dict(headers or {})
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, body, **options):
        return self.send("POST", path, body, **options)

    def chat(self, text="Say hello.", **fields):
        fields.setdefault("max_tokens", 8)
        fields.setdefault("temperature", 0)
        fields.setdefault("messages", [{"role": "user", "content": text}])
        return self.post("/v1/chat/completions", fields)

    def open_stream(self, path, body):
        """The raw connection of a request that is being answered, after the first bytes have come."""
        sock = socket.create_connection((self.address.hostname, self.address.port), timeout=60)
        data = json.dumps(body).encode()
        key = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: {self.address.netloc}\r\n{key}"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        return sock

    def metric(self, name, **labels):
        """The sum of a metric's series that have these labels."""
        total, found = 0.0, False
        for line in self.get("/metrics").body.decode().splitlines():
            match = re.match(rf"{name}(?:{{(.*)}})? (\S+)$", line)
            if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
                total, found = total + float(match[2]), True
        assert found, f"no metric {name} with {labels}"
        return total

    def until(self, condition, seconds=30):
        """Waits for something that must come; how long it takes does not matter."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.02)


def together(*calls):
    """Runs all at the same time; their results in order."""
    results = [None] * len(calls)

    def run(i):
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
