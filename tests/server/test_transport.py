"""What clients do with connections, the worst included, and what a server shows of it."""
import json
import shutil
import socket
import struct

import pytest

from serving import Web, together

HELLO = [{"role": "user", "content": "Say hello."}]


def connect(web):
    return socket.create_connection((web.address.hostname, web.address.port), timeout=60)


def raw(web, data):
    """The answer to these bytes, until the server closes or says all that it announced."""
    with connect(web) as sock:
        sock.sendall(data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = sock.recv(65536)
            if not more:
                break
            answer += more
        return answer


def head(web, line="POST /v1/chat/completions HTTP/1.1", *headers):
    return "\r\n".join([line, f"Host: {web.address.netloc}", *headers, "", ""]).encode()


def reset(sock):
    """Closes so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_every_answer_has_an_id_of_its_own_or_the_clients(web):
    first, second = web.get("/health"), web.chat(max_tokens=1)
    assert first.headers["x-request-id"] and first.headers["x-request-id"] != second.headers["x-request-id"]
    for answer in (web.chat(max_tokens=1, stream=True), web.chat(messages=[]), web.get("/nothing")):
        assert answer.headers["x-request-id"]
    assert web.get("/health", headers={"X-Request-Id": "mine-7"}).headers["x-request-id"] == "mine-7"


@pytest.mark.parametrize("size", [64 << 30, 1 << 62, 33 << 20])
def test_a_body_that_is_announced_too_large_is_refused_unread(web, size):
    answer = raw(web, head(web, "POST /v1/chat/completions HTTP/1.1", f"Content-Length: {size}"))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_heads_that_are_too_large(web):
    assert raw(web, head(web, "GET /health HTTP/1.1", "X-Long: " + "a" * (1 << 20))).startswith(b"HTTP/1.1 431 ")
    flood = [f"X-{i}: a" for i in range(2000)]
    assert raw(web, head(web, "GET /health HTTP/1.1", *flood)).startswith(b"HTTP/1.1 431 ")
    assert raw(web, b"GET /" + b"a" * (1 << 20)).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 414 "))


@pytest.mark.parametrize("data", [
    b"\r\n\r\nhello\r\n\r\n", b"GET\r\n\r\n", b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nBad\x00Name: 1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"])
def test_what_is_no_http(web, data):
    answer = raw(web, data)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 ", b"HTTP/1.1 501 ")), answer
    assert web.get("/health").status == 200


def test_unfinished_requests_keep_nobody_waiting_and_are_closed(web):
    """64 clients that send the head of a request and then nothing, and 64 that stop in the body."""
    begun = [connect(web) for _ in range(128)]
    try:
        for i, sock in enumerate(begun):
            sock.sendall(head(web, "POST /v1/chat/completions HTTP/1.1", "Content-Length: 100")[:-2 if i % 2 else None])
        assert web.get("/health").status == 200 and web.chat(max_tokens=2).status == 200
        slow = begun[1]
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        while slow.recv(4096):
            pass
    finally:
        for sock in begun:
            sock.close()


def test_a_thousand_idle_connections_harm_nobody(web):
    idle = []
    try:
        for _ in range(1000):
            idle.append(connect(web))
        assert web.get("/health").status == 200 and web.chat(max_tokens=2).status == 200
    finally:
        for sock in idle:
            sock.close()


def test_clients_that_leave_at_every_stage_leave_nothing(web, model):
    body = (b'{"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 1900, "ignore_eos": true, '
            b'"stream": true}')
    request = head(web, "POST /v1/chat/completions HTTP/1.1", f"Content-Length: {len(body)}") + body
    stages = [1, 20, len(request) - len(body) - 1, len(request) - len(body), len(request) - 1, len(request)]
    for round in range(40):
        sock = connect(web)
        sock.sendall(request[:stages[round % len(stages)]])
        if round % 2 and stages[round % len(stages)] == len(request):
            sock.recv(4096)
        reset(sock) if round % 3 else sock.close()
    web.until(lambda: web.metric("ponder_requests_running", model=model) == 0)
    web.until(lambda: web.metric("ponder_requests_waiting", model=model) == 0)
    assert web.metric("ponder_kv_pages", model=model, state="used") == 0
    web.until(lambda: web.metric("ponder_http_requests_active") <= 1)  # this one


def test_a_half_closed_client_gets_its_whole_answer(web):
    body = b'{"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 30, "temperature": 0}'
    with connect(web) as sock:
        sock.sendall(head(web, "POST /v1/chat/completions HTTP/1.1", f"Content-Length: {len(body)}") + body)
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while more := sock.recv(65536):
            data += more
    assert data.startswith(b"HTTP/1.1 200 ") and b'"finish_reason"' in data


def test_256_clients_at_once(web, thinker):
    calls = [lambda: web.chat(model=thinker, max_tokens=20) for _ in range(256)] + [lambda: web.get("/health")] * 8
    answers = together(*calls)
    assert {answer.status for answer in answers[256:]} == {200}
    for answer in answers[:256]:
        assert answer.status == 200 or (answer.status == 429 and int(answer.headers["Retry-After"]) > 0), answer.body
    assert sum(answer.status == 200 for answer in answers[:256]) >= 64


def test_pages_of_others(own_server, tiny_r1):
    web = Web(own_server("-m", tiny_r1, "--cors-origin", "http://localhost:*").url)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, allowed in (("http://localhost:3000", True), ("http://localhost.evil.com", False),
                            ("http://localhost:3000.evil.com", False), ("null", False)):
        preflight = web.send("OPTIONS", "/v1/chat/completions", headers={"Origin": origin, **asks})
        plain = web.get("/v1/models", headers={"Origin": origin})
        assert (preflight.status, plain.status) == ((204, 200) if allowed else (403, 403)), origin
        assert (plain.headers["Access-Control-Allow-Origin"] == origin) == allowed
        assert ("POST" in (preflight.headers["Access-Control-Allow-Methods"] or "")) == allowed
    for host in ("localhost.evil.com", "127.0.0.1.evil.com", "evil.com:80"):
        assert web.get("/v1/models", headers={"Host": host}).status == 403
    for host in ("localhost", "127.0.0.1:1", "[::1]"):
        assert web.get("/v1/models", headers={"Host": host}).status == 200


def test_the_same_text_whatever_the_number_of_places(own_server, tiny_r1):
    """One place and eight, one request with two choices and two requests."""
    texts = []
    for places in (1, 8):
        web = Web(own_server("-m", tiny_r1, "--ctx", 512, "--parallel", places).url)
        for _ in range(2):
            answer = web.chat(n=2, temperature=1, seed=3, max_tokens=30).json
            assert answer["usage"]["completion_tokens"] == 60
            texts.append([choice["message"] for choice in answer["choices"]])
        texts.append([answer.json["choices"][0]["message"] for answer in together(
            *[lambda: web.chat(temperature=1, seed=3, max_tokens=30)] * 2)])
    assert texts[0] == texts[1] == texts[3] == texts[4] and texts[0][0] != texts[0][1]
    assert texts[2] == texts[5] == [texts[0][0]] * 2


def test_the_first_token_of_a_text(own_server, tiny_r1, tmp_path):
    model = shutil.copytree(tiny_r1, tmp_path / "model")
    config = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps({**config, "add_bos_token": True}))
    web = Web(own_server("-m", model).url)
    plain = web.post("/tokenize", {"content": "Hi"}).json["tokens"]
    assert web.post("/tokenize", {"content": "Hi", "add_special": True}).json["tokens"] == [0, *plain]
    assert web.post("/tokenize", {"content": "Hi", "add_special": False}).json["tokens"] == plain != []


def test_blocks_of_a_message_are_numbered(web, thinker):
    answer = web.post("/v1/messages", {"model": thinker, "messages": HELLO, "max_tokens": 60, "stream": True, "seed": 1,
                                       "thinking": {"type": "enabled", "budget_tokens": 10}})
    events = [event for event in answer.events() if event["type"].startswith("content_block")]
    kinds = [(event["type"].removeprefix("content_block_"), event["index"]) for event in events]
    assert [kind for kind in kinds if kind[0] != "delta"] == [("start", 0), ("stop", 0), ("start", 1), ("stop", 1)]
    assert [index for kind, index in kinds] == sorted(index for kind, index in kinds)
    assert [event["content_block"]["type"] for event in events if "content_block" in event] == ["thinking", "text"]


def test_a_server_that_is_not_ready_says_so(own_server, coder_half_b):
    """Until the model is there /ready is 503; requests wait for it and are answered."""
    web = Web(own_server("-m", coder_half_b, "--ctx", 512, ready=False).url)
    state = web.get("/ready")
    assert (state.status, state.json["status"]) in ((503, "loading"), (200, "ready"))
    assert web.get("/health").status == 200
    assert web.chat(max_tokens=1).status == 200
    assert web.get("/ready").json == {"status": "ready", "models": [
        {"id": web.get("/v1/models").json["data"][0]["id"], "state": "loaded"}]}
