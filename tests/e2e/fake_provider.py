"""A server that speaks the APIs of OpenAI, Anthropic and DeepSeek as far as `ponder eval` needs it, and
can be as unreliable as the real ones.
"""
import http.server
import json
import re
import threading

THOUGHT = "Let me see. "


def right_answer(question):
    """Of the suite "arithmetic"; its stories are beyond us."""
    match = re.search(r"What is ([-+*/()\d]+)\?", question)
    return f"The answer is \\boxed{{{int(eval(match[1]))}}}." if match else "I do not know."


class Provider:
    """Each question is answered in full after the faults of its list, one an attempt:

    429, 500, 401 …  that status         "cut"      the stream breaks off in the middle
    "error"          an error event      "silent"   the connection is closed without a word
    """

    def __init__(self, key="sk-secret-1234"):
        self.key = key
        self.answer = right_answer
        self.faults = lambda number: []  # of the question that came as the number-th, from 0
        self.usage = lambda usage: usage  # what is told instead of the truth
        self.refuses = set()  # fields that a request must not have
        self.hold = None      # an event: answers end when it is set
        self.free = 0         # so many answers go past before any is held
        self.retry_after = None
        self.lock = threading.Lock()
        self.keys = []        # of questions, in the order in which they came first
        self.attempts = {}    # key → requests
        self.finished = {}    # key → answers given in full
        self.bodies = []
        self.running = self.most_running = self.waiting = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with provider.lock:
                    provider.running += 1
                    provider.most_running = max(provider.most_running, provider.running)
                try:
                    provider.serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                finally:
                    self.close_connection = True
                    with provider.lock:
                        provider.running -= 1

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.hold:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def goes_past(self):
        with self.lock:
            self.free -= 1
            return self.free >= 0

    def refuse(self, handler, status, message, param=None):
        body = json.dumps({"error": {"message": message, "param": param, "type": "x"}}).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        if self.retry_after is not None:
            handler.send_header("Retry-After", str(self.retry_after))
        handler.end_headers()
        handler.wfile.write(body)

    def serve(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        given = handler.headers.get("x-api-key") or handler.headers.get("Authorization", "")
        if given.removeprefix("Bearer ") != self.key:
            return self.refuse(handler, 401, f"Incorrect API key: {given}")
        for field in sorted(self.refuses & body.keys()):
            return self.refuse(handler, 400, f"Unsupported parameter: {field}", field)
        question = (body.get("messages") or body.get("input"))[-1]["content"]
        key = handler.headers["Idempotency-Key"]
        with self.lock:
            if key not in self.attempts:
                self.keys.append(key)
            attempt = self.attempts[key] = self.attempts.get(key, 0) + 1
            faults = self.faults(self.keys.index(key))
            self.bodies.append(body)
        fault = faults[attempt - 1] if attempt <= len(faults) else None
        if isinstance(fault, int):
            return self.refuse(handler, fault, "come back later")
        if fault == "silent":
            return None
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        events = self.events(handler.path, body, self.answer(question))
        for number, event in enumerate(events):
            if fault == "cut" and number == len(events) // 2:
                return None
            if fault == "error" and number == 1:
                event = {"error": {"message": "overloaded"}, "type": "error"}
            handler.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            handler.wfile.flush()
            if fault == "error" and number == 1:
                return None
            if number == 0 and (hold := self.hold) and not hold.is_set() and not self.goes_past():
                with self.lock:
                    self.waiting += 1
                hold.wait()
                with self.lock:
                    self.waiting -= 1
        with self.lock:
            self.finished[key] = self.finished.get(key, 0) + 1
        if handler.path.endswith("/completions"):
            handler.wfile.write(b"data: [DONE]\n\n")
        return None

    def events(self, path, body, answer):
        pieces = [answer[i:i + 7] for i in range(0, len(answer), 7)]
        usage = self.usage({"input": 30, "cached": 10, "output": len(answer) // 4 + 5, "reasoning": 4})
        if path.endswith("/chat/completions"):
            def chunk(delta, **more):
                return {"model": body["model"] + "-0501", "choices": [{"index": 0, "delta": delta, **more}]}
            events = [chunk({"role": "assistant"}), chunk({"reasoning_content": THOUGHT})]
            events += [chunk({"content": piece}) for piece in pieces] + [chunk({}, finish_reason="stop")]
            if usage:
                events.append({"choices": [], "usage": {
                    "prompt_tokens": usage["input"], "completion_tokens": usage["output"],
                    "prompt_tokens_details": {"cached_tokens": usage["cached"]},
                    "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]}}})
            return events
        if path.endswith("/responses"):
            end = {"model": body["model"] + "-0501", "usage": {
                "input_tokens": usage["input"], "input_tokens_details": {"cached_tokens": usage["cached"]},
                "output_tokens": usage["output"],
                "output_tokens_details": {"reasoning_tokens": usage["reasoning"]}}}
            return ([{"type": "response.created", "response": {}},
                     {"type": "response.reasoning_summary_text.delta", "delta": THOUGHT}]
                    + [{"type": "response.output_text.delta", "delta": piece} for piece in pieces]
                    + [{"type": "response.completed", "response": end}])
        assert path.endswith("/messages"), path
        start = {"input_tokens": usage["input"] - usage["cached"], "output_tokens": 1,
                 "cache_read_input_tokens": usage["cached"], "cache_creation_input_tokens": 0}
        return ([{"type": "message_start", "message": {"model": body["model"] + "-0501", "usage": start}},
                 {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": THOUGHT}}]
                + [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": piece}}
                   for piece in pieces]
                + [{"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                    "usage": {"output_tokens": usage["output"]}}, {"type": "message_stop"}])
