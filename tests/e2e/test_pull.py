"""`ponder pull` against a hub of the test's own: resume, hashes, tokens, TLS, hostile hubs."""
import hashlib
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

TENSORS = bytes(range(256)) * 40000  # 10 MB: several reads, so that an interruption finds a middle


class Hub:
    """Repositories {"owner/name": {file: bytes}}, served as Hugging Face does."""

    def __init__(self, repositories, certificate=None):
        self.repositories = repositories
        self.token = None         # required if set
        self.pause = 0            # seconds between pieces of 64 KiB
        self.send_instead = None  # bytes sent for every file, whatever it is
        self.redirect = None      # where files are, if not here
        self.requests = []        # (path, headers)
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.requests.append((self.path, dict(self.headers)))
                try:
                    hub.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the program was stopped

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, handler, status, body, headers=()):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        for start in range(0, len(body), 1 << 16):
            handler.wfile.write(body[start:start + (1 << 16)])
            time.sleep(self.pause)

    def answer(self, handler):
        if self.token and handler.headers["Authorization"] != f"Bearer {self.token}":
            return self.reply(handler, 401, b"{}")
        path = handler.path.split("?")[0]
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/tree/main)?", path):
            files = self.repositories.get(match[1])
            if files is None:
                return self.reply(handler, 404, b"{}")
            listing = {"siblings": [{"rfilename": name} for name in files]}
            if match[2]:
                listing = [{"type": "file", "path": name, "size": len(body),
                            "lfs": {"oid": hashlib.sha256(body).hexdigest(), "size": len(body)}}
                           for name, body in files.items()]
            return self.reply(handler, 200, json.dumps(listing).encode())
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/main/(.+)", path)
        body = self.repositories.get(match[1], {}).get(match[2]) if match else None
        if body is None:
            return self.reply(handler, 404, b"not here")
        if self.redirect:
            return self.reply(handler, 302, b"", [("Location", self.redirect + handler.path)])
        if self.send_instead is not None:
            body = self.send_instead
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "")
        if not wanted:
            return self.reply(handler, 200, body)
        first = int(wanted[1])
        content_range = f"bytes {first}-{len(body) - 1}/{len(body)}"
        return self.reply(handler, 206, body[first:], [("Content-Range", content_range)])

    def ranges(self):
        """What each request for a file asked for."""
        return [headers.get("Range") for path, headers in self.requests if "/resolve/" in path]


@pytest.fixture
def start_hub():
    hubs = []

    def start(repositories, **options):
        hubs.append(Hub(repositories, **options))
        return hubs[-1]
    yield start
    for hub in hubs:
        hub.close()


@pytest.fixture
def hub(start_hub):
    return start_hub({"o/gguf": {"README.md": b"x", "m-Q8_0.gguf": TENSORS},
                      "o/two": {"m-Q4_0.gguf": b"four", "m-Q8_0.gguf": b"eight"},
                      "o/split": {f"q/m-0000{i}-of-00002.gguf": b"%d" % i for i in (1, 2)},
                      "o/tensors": {"config.json": b"{}", "model.safetensors": TENSORS[:1000],
                                    "tokenizer.json": b"{}", "pytorch_model.bin": b"no"},
                      "o/evil": {"../../evil.gguf": b"evil"}})


@pytest.fixture
def pull(ponder, hub, tmp_path):
    def run(name, url=None, **environment):
        variables = {**os.environ, "PONDER_CACHE": str(tmp_path / "cache"), **environment}
        if "HF_TOKEN" not in environment:
            variables.pop("HF_TOKEN", None)
        return ponder("pull", name, "--hub", url or hub.url, env=variables, timeout=60)
    return run


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")
                  if path.is_file() and not path.name.startswith(".pulled-"))


def test_a_file_is_pulled_once(pull, hub, tmp_path):
    done = pull("o/gguf:Q8_0")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "cache/o/gguf/m-Q8_0.gguf"
    assert done.stdout == f"{path}\n"
    assert path.read_bytes() == TENSORS
    asked = len(hub.requests)
    assert pull("o/gguf:Q8_0").stdout == done.stdout
    assert len(hub.requests) == asked, "a complete model needs no hub"


def test_a_pulled_model_is_used_by_its_name(ponder, start_hub, tmp_path):
    golden = Path(__file__).parents[1] / "golden/model/qwen2-s1.q8_0.gguf"
    hub = start_hub({"o/tiny": {"m-Q8_0.gguf": golden.read_bytes(), "m-Q4_0.gguf": b"other"}})
    environment = {**os.environ, "PONDER_CACHE": str(tmp_path)}
    tokens = ("--tokens", "1,2,3", "--out", tmp_path / "logits.safetensors")
    assert ponder("logits", "-m", "o/tiny:Q8_0", *tokens, env=environment).returncode != 0
    assert ponder("pull", "o/tiny:Q8_0", "--hub", hub.url, env=environment).returncode == 0
    done = ponder("logits", "-m", "o/tiny:Q8_0", *tokens, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_folder_has_what_the_loader_reads(pull, tmp_path):
    done = pull("o/tensors")
    assert done.stdout == f"{tmp_path / 'cache/o/tensors'}\n", done.stderr
    assert files_under(tmp_path / "cache/o/tensors") == \
        ["config.json", "model.safetensors", "tokenizer.json"]


def test_splits_come_together(pull, tmp_path):
    done = pull("o/split")
    assert done.stdout == f"{tmp_path / 'cache/o/split/q/m-00001-of-00002.gguf'}\n", done.stderr
    assert files_under(tmp_path / "cache") == \
        [f"o/split/q/m-0000{i}-of-00002.gguf" for i in (1, 2)]


@pytest.mark.parametrize("name, words", [
    ("o/two", ["several", "m-Q4_0.gguf", "m-Q8_0.gguf"]),
    ("o/two:Q5_0", ["no .gguf file fits", "m-Q4_0.gguf"]),
    ("o/absent", ["404", "check the name"]),
    ("absent", ["OWNER/REPO"]),
    ("../x", ["OWNER/REPO"]),
    ("o/evil", ["unsafe name"]),
])
def test_what_cannot_be_pulled_is_explained(pull, tmp_path, name, words):
    done = pull(name)
    assert done.returncode != 0 and not done.stdout
    for word in words:
        assert word in done.stderr, done.stderr
    assert files_under(tmp_path) == []


def test_a_killed_download_goes_on_where_it_stopped(ponder_bin, pull, hub, tmp_path):
    hub.pause = 0.05
    partial = tmp_path / "cache/o/gguf/m-Q8_0.gguf.partial"
    running = subprocess.Popen(
        [ponder_bin, "pull", "o/gguf", "--hub", hub.url], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "PONDER_CACHE": str(tmp_path / "cache")})
    deadline = time.monotonic() + 30
    while not (partial.exists() and partial.stat().st_size > 1 << 20):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    size = partial.stat().st_size
    assert size < len(TENSORS)
    hub.pause = 0
    done = pull("o/gguf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cache/o/gguf/m-Q8_0.gguf").read_bytes() == TENSORS
    assert hub.ranges() == [None, f"bytes={size}-"]


def test_wrong_content_is_refused_and_deleted(pull, hub, tmp_path):
    hub.send_instead = b"?" * len(TENSORS)
    done = pull("o/gguf")
    assert done.returncode != 0 and "SHA-256" in done.stderr
    assert not (tmp_path / "cache/o/gguf/m-Q8_0.gguf").exists()
    hub.send_instead = None
    assert pull("o/gguf").returncode == 0


def test_the_token_goes_to_the_hub_only(pull, hub, start_hub):
    hub.token = "hf_secret"
    done = pull("o/gguf")
    assert done.returncode != 0 and "HF_TOKEN" in done.stderr
    storage = start_hub(hub.repositories)
    hub.redirect = storage.url
    done = pull("o/gguf", HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    assert len(storage.requests) == 1
    assert "Authorization" not in storage.requests[0][1]
    assert "hf_secret" not in done.stdout + done.stderr


def test_a_circle_of_redirects_ends(pull, hub):
    hub.redirect = hub.url
    done = pull("o/gguf")
    assert done.returncode != 0 and "redirects" in done.stderr


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_certificates_are_verified(pull, hub, start_hub, certificate):
    secure = start_hub(hub.repositories, certificate=certificate)
    done = pull("o/gguf", secure.url)
    assert done.returncode != 0 and "certificate" in done.stderr
    trusted = {"SSL_CERT_FILE": str(certificate[0])}
    done = pull("o/gguf", secure.url.replace("localhost", "127.0.0.1"), **trusted)
    assert done.returncode != 0 and "certificate" in done.stderr, "the name is not in it"
    done = pull("o/gguf", secure.url, **trusted)
    assert done.returncode == 0, done.stderr


def test_https_does_not_lead_to_http(pull, hub, start_hub, certificate):
    secure = start_hub(hub.repositories, certificate=certificate)
    secure.redirect = hub.url
    done = pull("o/gguf", secure.url, SSL_CERT_FILE=str(certificate[0]))
    assert done.returncode != 0 and "from https to http" in done.stderr
    assert hub.requests == []
