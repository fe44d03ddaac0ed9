"""Fixtures for the tests of the server, over real sockets.

PONDER_BASE_URL   a running server ("http://127.0.0.1:8080") instead of one that is started here; tests
                  that need a certain model, or start servers of their own, are then skipped
PONDER_API_KEY    its API key, if it asks for one
"""
import os

import anthropic
import openai
import pytest

from serving import Server, Web
from tiny_r1 import make_tiny_r1

URL = os.environ.get("PONDER_BASE_URL", "").rstrip("/")
KEY = os.environ.get("PONDER_API_KEY", "")


@pytest.fixture(scope="session")
def tiny_r1(tmp_path_factory):
    """A model that thinks, and says anything."""
    return make_tiny_r1(tmp_path_factory.mktemp("tiny-r1"), template=True)


@pytest.fixture(scope="session")
def base_url(request):
    if URL:
        yield URL
        return
    binary, model = (request.getfixturevalue(name) for name in ("ponder_bin", "coder_half_b"))
    tiny = request.getfixturevalue("tiny_r1")
    with Server(binary, "-m", f"coder={model}", "-m", f"tiny={tiny}", "--ctx", 2048, "--parallel", 8,
                "--queue", 64) as server:
        server.wait_ready()
        yield server.url


@pytest.fixture(scope="session")
def web(base_url):
    return Web(base_url, KEY)


@pytest.fixture(scope="session")
def model(web):
    """The name of the first model."""
    return web.get("/v1/models").json["data"][0]["id"]


@pytest.fixture(scope="session")
def thinker(web):
    """The name of the tiny model that thinks."""
    if URL:
        pytest.skip("needs a model of its own")
    return "tiny"


@pytest.fixture
def own_server(ponder_bin):
    """Starts servers that end with the test."""
    if URL:
        pytest.skip("needs a server of its own")
    running = []

    def start(*flags, ready=True, **options):
        server = Server(ponder_bin, *flags, **options).__enter__()
        running.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def client(base_url):
    return openai.OpenAI(base_url=base_url + "/v1", api_key=KEY or "none", max_retries=0, timeout=120)


@pytest.fixture(scope="session")
def claude(base_url):
    return anthropic.Anthropic(base_url=base_url, api_key=KEY or "none", max_retries=0, timeout=120)
