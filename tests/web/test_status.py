"""The status page."""
import json

import pytest

METRICS = """# HELP ponder_requests_running Requests being computed.
# TYPE ponder_requests_running gauge
ponder_requests_running{{model="a"}} 3
ponder_requests_running{{model="b"}} {running}
ponder_requests_waiting 5
ponder_kv_pages{{state="used"}} 30
ponder_kv_pages{{state="cached"}} 20
ponder_kv_pages{{state="free"}} 50
ponder_prompt_tokens_total {prompt}
ponder_cached_tokens_total 250
ponder_generated_tokens_total {generated}
ponder_drafted_tokens_total 0
ponder_accepted_tokens_total 0
ponder_time_to_first_token_seconds_bucket{{le="0.1"}} 50
ponder_time_to_first_token_seconds_bucket{{le="1"}} 90
ponder_time_to_first_token_seconds_bucket{{le="+Inf"}} 100
ponder_time_to_first_token_seconds_sum 40
ponder_time_to_first_token_seconds_count 100
not a metric
ponder_odd{{text="a\\"}} b"}} NaN
"""


class Counting:
    """Each reading finds 100 tokens more."""

    def __init__(self):
        self.readings = 0

    def __call__(self):
        self.readings += 1
        return METRICS.format(running=1, prompt=1000, generated=100 * self.readings)


def figure(page, name):
    return page.text(f"[data-figure={name}] .value"), page.text(f"[data-figure={name}] .detail")


def test_figures_and_plots(page, server):
    server.metrics = Counting()
    page.open(server.url + "/status")
    assert page.text("#state-words") == "Running"
    assert figure(page, "running") == ("4requests", "5 waiting")
    assert figure(page, "cache") == ("30 %in use", "20 % kept for reuse")
    assert figure(page, "reuse") == ("25 %", "of all prompt tokens")
    assert figure(page, "first") == ("100 ms", "95 % below 1.00 s")
    assert figure(page, "each") == ("–", "95 % below –")
    assert page.texts("#models li") == ["ponder-r1context of 8,192 tokens", "other-modelcontext of 4,096 tokens"]
    page.wait("document.querySelector('[data-figure=speed] .value').textContent !== '–'")
    speed = float(figure(page, "speed")[0].replace("tokens/s", ""))
    assert 10 < speed < 100, "100 tokens in a little over two seconds"
    assert page.count("canvas") == 6
    labels = page.run("[...document.querySelectorAll('canvas')].map((c) => c.getAttribute('aria-label'))")
    assert labels[0] == "Requests. Now running 4.00, waiting 5.00."
    drawn = page.run("""[...document.querySelectorAll('canvas')].map((c) =>
        c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v))""")
    assert drawn == [True] * 6
    assert page.errors == []


def test_a_server_that_goes_and_comes_back(page, server):
    server.metrics = Counting()
    page.open(server.url + "/status")
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.call("Network.emulateNetworkConditions", {"offline": True, **conditions})
    page.wait("document.querySelector('#state-words').textContent.includes('cannot be reached')")
    assert page.run("document.querySelector('#state').classList.contains('down')")
    page.call("Network.emulateNetworkConditions", {"offline": False, **conditions})
    page.wait("document.querySelector('#state-words').textContent === 'Running'")


def test_dark_and_phone(page, server):
    server.metrics = Counting()
    page.dark()
    page.size(360, 740, phone=True)
    page.open(server.url + "/status")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    assert page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.click("#theme")
    assert page.run("document.documentElement.dataset.theme") == "light"


@pytest.mark.parametrize("before,after,q,expected", [
    ([], [[1, 0], [2, 10], ["inf", 10]], 0.5, 1.5),
    ([[1, 10], [2, 10], ["inf", 10]], [[1, 10], [2, 10], ["inf", 10]], 0.5, None),
    ([[1, 10], ["inf", 10]], [[1, 10], ["inf", 14]], 0.5, 1),
    ([[1, 100], [4, 100], ["inf", 100]], [[1, 100], [4, 108], ["inf", 108]], 0.25, 1.75),
    ([], [], 0.5, None),
    ([], [["inf", 3]], 0.9, 0),
])
def test_quantiles(page, server, before, after, q, expected):
    page.open(server.url + "/status")
    fix = "((list) => list.map(([b, n]) => [b === 'inf' ? Infinity : b, n]))"
    assert page.run(f"""import('./assets/js/prometheus.js').then(({{ quantile }}) =>
        quantile({fix}({json.dumps(before)}), {fix}({json.dumps(after)}), {q}))""") == expected
