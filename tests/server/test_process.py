"""The program around the server: settings, keys, several models, stopping."""
import json
import os
import signal
import socket

import pytest

from serving import Server, Web

HELLO = [{"role": "user", "content": "Say hello."}]


def read_all(sock):
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def test_the_summary(own_server, tiny_r1):
    server = own_server("-m", f"tiny={tiny_r1}")
    for part in ("chat", "/status", "/v1", "tiny", "none asked for"):
        assert part in server.summary
    assert len(server.summary.splitlines()) < 24


def test_sigterm_lets_streams_finish(own_server, coder_half_b):
    server = own_server("-m", coder_half_b, "--ctx", 512)
    web = Web(server.url)
    with web.open_stream("/v1/chat/completions", {"messages": HELLO, "max_tokens": 150, "stream": True,
                                                  "ignore_eos": True}) as sock:
        first = sock.recv(4096)
        server.terminate()
        assert (first + read_all(sock)).rstrip(b"\r\n0").endswith(b"data: [DONE]")
    assert server.process.wait(30) == 0
    with pytest.raises(OSError):
        socket.create_connection((web.address.hostname, web.address.port), timeout=5)


def test_a_second_sigterm_stops_at_once(own_server, coder_half_b):
    server = own_server("-m", coder_half_b, "--ctx", 16000)
    with Web(server.url).open_stream("/v1/chat/completions", {"messages": HELLO, "max_tokens": 15000, "stream": True,
                                                              "ignore_eos": True}) as sock:
        sock.recv(4096)
        server.terminate()
        Web.until(None, lambda: "stopping" in server.log())
        server.terminate()
        assert server.process.wait(20) == 0
        assert b"[DONE]" not in read_all(sock)


def test_the_time_to_drain_is_bounded(own_server, coder_half_b):
    server = own_server("-m", coder_half_b, "--ctx", 16000, "--drain", 1)
    with Web(server.url).open_stream("/v1/chat/completions", {"messages": HELLO, "max_tokens": 15000, "stream": True,
                                                              "ignore_eos": True}) as sock:
        sock.recv(4096)
        server.terminate()
        assert server.process.wait(20) == 0


def test_keys(own_server, tiny_r1, ponder, tmp_path):
    line = ponder("serve", "hash-key", "ada", input="correct-horse-battery\n")
    assert line.returncode == 0 and "correct" not in line.stdout
    keys = tmp_path / "keys"
    keys.write_text(line.stdout)
    server = own_server("-m", f"tiny={tiny_r1}", "--api-keys", keys)
    web = Web(server.url)
    for path in ("/v1/models", "/metrics", "/tokenize", "/v1/chat/completions"):
        answer = web.get(path)
        assert answer.status == 401 and answer.error["code"], path
    for path in ("/health", "/ready", "/openapi.json", "/", "/status"):
        assert web.get(path).status == 200, path
    assert Web(server.url, "wrong-key-entirely").get("/v1/models").status == 401
    assert Web(server.url, "correct-horse-battery").get("/v1/models").status == 200
    assert web.get("/v1/models", headers={"X-Api-Key": "correct-horse-battery"}).status == 200
    keys.write_text(ponder("serve", "hash-key", "bob", input="another-good-key\n").stdout)
    server.process.send_signal(signal.SIGHUP)
    web.until(lambda: Web(server.url, "another-good-key").get("/v1/models").status == 200)
    assert Web(server.url, "correct-horse-battery").get("/v1/models").status == 401


def test_what_one_client_stored_another_cannot_see(own_server, tiny_r1, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("first-secret-key\nsecond-secret-key\n")
    server = own_server("-m", f"tiny={tiny_r1}", "--api-keys", keys)
    ada, bob = Web(server.url, "first-secret-key"), Web(server.url, "second-secret-key")
    answer = ada.post("/v1/responses", {"input": "Hi", "max_output_tokens": 1}).json["id"]
    assert ada.get(f"/v1/responses/{answer}").status == 200
    assert bob.get(f"/v1/responses/{answer}").status == 404
    assert bob.send("DELETE", f"/v1/responses/{answer}").status == 404
    assert bob.post("/v1/responses", {"input": "Hi", "previous_response_id": answer}).status == 404


def test_models_come_when_asked_for_and_go_when_idle(own_server, tiny_r1):
    server = own_server("-m", f"one={tiny_r1}", "-m", f"two={tiny_r1}", "--idle-unload", 1)
    web = Web(server.url)

    def states():
        return {entry["id"]: entry["state"] for entry in web.get("/v1/models").json["data"]}

    assert states()["two"] == "unloaded"
    answer = web.chat(model="two", max_tokens=2)
    assert answer.status == 200 and answer.json["model"] == "two"
    counted = web.metric("ponder_generated_tokens_total", model="two")
    web.until(lambda: set(states().values()) == {"unloaded"})
    assert web.metric("ponder_generated_tokens_total", model="two") == counted == answer.json["usage"]["completion_tokens"]
    assert web.get("/ready").status == 200
    assert web.chat(model="one", max_tokens=2).status == 200
    assert web.chat(model="three").status == 404


def test_a_model_that_cannot_be_loaded(own_server, tiny_r1, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    server = own_server("-m", f"tiny={tiny_r1}", "-m", f"broken={broken}")
    web = Web(server.url)
    answer = web.chat(model="broken")
    assert answer.status == 503 and answer.error["code"] == "model_failed"
    assert web.get("/v1/models/broken").json["state"] == "failed"
    assert web.chat(model="tiny", max_tokens=2).status == 200


def test_a_first_model_that_cannot_be_loaded_ends_the_server(ponder, tiny_r1):
    ended = ponder("serve", "-m", tiny_r1, "--port", 0, "--kv-budget", "1K", timeout=60)
    assert ended.returncode == 1
    assert "does not hold one sequence" in ended.stderr.splitlines()[-1]


def test_the_queue_is_bounded(own_server, coder_half_b):
    server = own_server("-m", coder_half_b, "--ctx", 2048, "--parallel", 1, "--queue", 1)
    web = Web(server.url)
    body = {"messages": HELLO, "max_tokens": 1900, "stream": True, "ignore_eos": True}
    name = web.get("/v1/models").json["data"][0]["id"]
    with web.open_stream("/v1/chat/completions", body) as first:
        first.recv(4096)
        web.until(lambda: web.metric("ponder_requests_running", model=name) == 1)
        with web.open_stream("/v1/chat/completions", body):
            web.until(lambda: web.metric("ponder_requests_waiting", model=name) == 1)
            answer = web.chat()
            assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0
            assert answer.error["code"] == "queue_full"


def test_settings_of_flags_environment_and_file(ponder, tiny_r1, tmp_path):
    file = tmp_path / "serve.toml"
    file.write_text(f'model = ["a={tiny_r1}"]\nport = 1111\nctx = 100\nlog-prompts = true\n')
    env = {**os.environ, "PONDER_PORT": "2222", "PONDER_CTX": "200"}
    done = ponder("serve", "--config", file, "--port", 3333, "--print-config", env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "port = 3333" in lines and "ctx = 200" in lines and "log-prompts = true" in lines
    again = tmp_path / "again.toml"
    again.write_text(done.stdout)
    assert ponder("serve", "--config", again, "--print-config").stdout == done.stdout


@pytest.mark.parametrize("arguments,part", [
    (["-m", "/no/such/file"], "no such file"), (["-m", "TINY", "--port", "70000"], "70000"),
    (["-m", "TINY", "--kv-budget", "many"], "many"), (["-m", "TINY", "--tls-cert", "a"], "tls-key"),
    (["-m", "TINY", "-m", "TINY"], "two models"), (["-m", "TINY", "--isa", "mmx"], "mmx"),
    (["-m", "TINY", "--api-keys", "/no/such"], "/no/such"), (["-m", "TINY", "--draft", "3"], "--draft")])
def test_settings_that_make_no_sense(ponder, tiny_r1, arguments, part):
    done = ponder("serve", *[str(tiny_r1) if argument == "TINY" else argument for argument in arguments])
    assert done.returncode in (1, 2) and part in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text,part", [("port = ", "line 1"), ("colour = 1", "colour"), ("[server]\nport = 1", "server"),
                                       ("port = 1.5", "port"), ("port = [1, 2]", "port"), ('port = "x"', "port")])
def test_files_that_make_no_sense(ponder, tiny_r1, tmp_path, text, part):
    file = tmp_path / "serve.toml"
    file.write_text(text)
    done = ponder("serve", "-m", tiny_r1, "--config", file, "--print-config")
    assert done.returncode == 1 and part in done.stderr and str(file) in done.stderr


def test_prompts_are_logged_only_when_asked_for(own_server, tiny_r1):
    for flags, logged in (([], False), (["--log-prompts"], True)):
        server = own_server("-m", tiny_r1, *flags)
        web = Web(server.url)
        assert web.chat("A most private word.", max_tokens=2).status == 200
        web.until(lambda: '"path":"/v1/chat/completions"' in server.log())
        assert ("private" in server.log()) == logged
        line = next(line for line in server.log().splitlines() if "completions" in line and line.startswith("{"))
        assert json.loads(line)["status"] == 200


def test_a_page_of_another_origin_is_let_in_only_by_name(own_server, tiny_r1):
    server = own_server("-m", tiny_r1, "--cors-origin", "https://a.example")
    web = Web(server.url)
    allowed = web.get("/v1/models", headers={"Origin": "https://a.example"})
    assert allowed.status == 200 and allowed.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert web.get("/v1/models", headers={"Origin": "https://b.example"}).status == 403
    assert web.get("/v1/models", headers={"Host": "b.example"}).status in (400, 403, 421)


def test_two_servers_cannot_share_a_port(own_server, ponder, tiny_r1):
    server = own_server("-m", tiny_r1)
    done = ponder("serve", "-m", tiny_r1, "--port", Web(server.url).address.port)
    assert done.returncode == 1 and "port" in done.stderr.lower() or "address" in done.stderr.lower()


def test_prefixes_outlive_the_server(own_server, coder_half_b, tmp_path):
    folder = tmp_path / "prefixes"
    system = {"role": "system", "content": "Answer like a careful librarian. " * 60}
    ask = {"messages": [system, *HELLO], "max_tokens": 8, "temperature": 0}

    server = own_server("-m", f"coder={coder_half_b}", "--ctx", 2048, "--prefix-folder", folder)
    web = Web(server.url)
    saved = web.post("/v1/prefixes", {"name": "librarian", "messages": [system]}).json
    assert saved["id"] == "coder/librarian" and saved["tokens"] > 300
    before = web.post("/v1/chat/completions", ask).json
    server.terminate()
    assert server.process.wait(30) == 0

    server = own_server("-m", f"coder={coder_half_b}", "--ctx", 2048, "--prefix-folder", folder)
    web = Web(server.url)
    after = web.post("/v1/chat/completions", ask).json
    assert after["choices"][0]["message"] == before["choices"][0]["message"]
    assert after["usage"]["prompt_tokens_details"]["cached_tokens"] >= saved["tokens"] // 64 * 64 > 300
    assert [entry["name"] for entry in web.get("/v1/prefixes").json["data"]] == ["librarian"]
    assert web.send("DELETE", "/v1/prefixes/coder/librarian").status == 200
    assert not list(folder.rglob("*.prefix"))


def test_no_prefixes_without_a_folder(web):
    assert web.post("/v1/prefixes", {"name": "a", "prompt": "x"}).status == 403


def test_the_built_in_model_is_served_without_any(own_server):
    web = Web(own_server().url)
    assert [entry["id"] for entry in web.get("/v1/models").json["data"]] == ["tiny-r1"]
    message = web.chat("7*8", max_tokens=64).json["choices"][0]["message"]
    assert message["content"].strip() == "6" and "=" in message["reasoning_content"]
