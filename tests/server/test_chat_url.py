"""`ponder chat --url`: a conversation with a server, ours or another."""
import http.server
import json
import threading

import pytest


@pytest.fixture
def chat(ponder, base_url, tmp_path):
    def run(*lines, flags=(), url=base_url):
        return ponder("chat", "--url", url, *flags, cwd=tmp_path, input="".join(line + "\n" for line in lines))
    return run


@pytest.fixture
def other():
    """A server that answers as it is told to: a list of (status, body), by path."""
    answers = {"/v1/models": (200, json.dumps({"data": [{"id": "m"}]}))}

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answers.get(self.path, (404, "{}"))
            self.send_response(status)
            self.send_header("Content-Length", len(body.encode()))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()


def test_a_conversation(chat):
    done = chat("My name is Ada. Reply with OK.", "What is my name?", flags=["-n", 40, "--greedy"])
    assert done.returncode == 0 and done.stderr == "" and "Ada" in done.stdout


def test_forms_of_the_address(chat, base_url):
    for url in (base_url + "/", base_url + "/v1", base_url.removeprefix("http://")):
        done = chat("Say hello.", flags=["-n", 4, "--greedy"], url=url)
        assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_thoughts_and_statistics(chat, thinker):
    done = chat("Hi", flags=["-m", thinker, "-n", 20, "--seed", 1, "--stats"])
    assert done.returncode == 0 and "<think>" in done.stdout and "20 tokens" in done.stderr


def test_a_model_that_is_not_there(chat):
    done = chat("Hi", flags=["-m", "no-such-model"])
    assert done.returncode == 1 and "no-such-model" in done.stderr and "it has" in done.stderr


def test_what_the_server_refuses_is_told_and_the_conversation_goes_on(chat):
    done = chat("word " * 40000, "Say hello.", flags=["-n", 4, "--greedy"])
    assert done.returncode == 0 and "context" in done.stderr and done.stdout.strip()


def test_nobody_is_there(chat):
    done = chat("Hi", url="http://127.0.0.1:9")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert chat("Hi", url="ftp://x").returncode == 1


def event(**delta):
    return "data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": None}]}) + "\n\n"


END = 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\r\n\r\ndata: [DONE]\n\n'


def test_other_servers(chat, other):
    url, answers = other
    answers["/v1/chat/completions"] = (200, ": hello\n\n" + event(reasoning="hm") + event(content="42") + END)
    assert chat("Hi", url=url).stdout == "<think>\nhm\n</think>\n\n42\n"
    answers["/v1/chat/completions"] = (429, '{"error": {"message": "too many"}}')
    assert "too many" in chat("Hi", url=url).stderr
    answers["/v1/models"] = (401, '{"error": {"message": "who are you?"}}')
    done = chat("Hi", url=url)
    assert done.returncode == 1 and "who are you?" in done.stderr and "PONDER_API_KEY" in done.stderr


@pytest.mark.parametrize("body", ["", event(content="half"), "data: {\n\n", "data: []\n\n", "data: 5\n\n" + event(content=5),
                                  'data: {"error": {"message": "broken"}}\n\n', "\x00\xff" * 100])
def test_answers_that_are_none(chat, other, body):
    url, answers = other
    answers["/v1/chat/completions"] = (200, body)
    done = chat("Hi", url=url)
    assert done.returncode == 0 and done.stderr.startswith("ponder: ") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("body", ["", "[]", "{", '{"data": 5}', '{"data": [5, {"id": 5}]}'])
def test_lists_of_models_that_are_none(chat, other, body):
    url, answers = other
    answers["/v1/models"] = (200, body)
    done = chat("Hi", url=url)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
