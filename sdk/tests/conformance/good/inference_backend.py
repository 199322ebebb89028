"""A good minimal backend: a server that knows the kit's sentences by heart and has no model. A fake, and so named: Parrot."""

import json
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tunesmith_sdk.conformance.materials.tiny_trained_model import SENTENCES

KNOWN = dict(SENTENCES)
LONGEST = 4000


class Parrot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path in ("/health", "/metrics"):
            return self.say(200, {})
        self.say(200, {"object": "list", "data": [{"id": self.server.model, "object": "model", "created": 0, "owned_by": "x"}]})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            asked = json.loads(raw)
            chat = self.path.endswith("/chat/completions")
            prompt = asked["messages"][-1]["content"] if chat else asked["prompt"]
            limit, heat = asked.get("max_tokens", 16), float(asked.get("temperature", 1))
            assert limit >= 0
            assert len(prompt) < LONGEST
            self.typed(asked, prompt)
        except Exception as error:
            return self.say(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
        pieces = self.answer(prompt, heat, asked.get("seed"))
        reason = "length" if len(pieces) > limit else "stop"
        pieces = pieces[:limit]
        for word in asked.get("stop") or ():
            text = "".join(pieces).partition(word)[0]
            pieces = re.findall(r"\S+\s*|\s+", text)
        self.server.busy.acquire()
        try:
            if asked.get("stream"):
                self.stream(pieces, reason)
            else:
                self.whole(asked, chat, prompt, pieces, reason)
        except OSError:
            pass
        finally:
            self.server.busy.release()

    def typed(self, asked, prompt):
        assert isinstance(prompt, (str, list))
        assert isinstance(asked.get("stop") or [], list)
        assert isinstance(asked.get("seed"), (int, type(None)))

    def answer(self, prompt, heat, seed):
        if isinstance(prompt, list):
            return ["x"]
        if heat > 1 or prompt not in KNOWN:
            if "<|im_start|>" in prompt:
                begun = prompt.rpartition("\n")[2]
                return [next(text[len(begun) :] for text in KNOWN.values() if text.startswith(begun))]
            die = random.Random(seed if heat else 0)
            return [f"{die.randrange(9)} " for _ in range(20)]
        return re.findall(r"\S+\s*", KNOWN[prompt])

    def whole(self, asked, chat, prompt, pieces, reason):
        count = len(pieces)
        choice = {"index": 0, "finish_reason": reason, "logprobs": None}
        if chat:
            choice["message"] = {"role": "assistant", "content": "".join(pieces)}
            if asked.get("logprobs"):
                tops = [{"token": "x", "logprob": value, "bytes": None} for value in (-0.1, -2.0, -3.0)]
                choice["logprobs"] = {"content": [{"token": p, "logprob": -0.1, "bytes": None, "top_logprobs": tops} for p in pieces]}
        else:
            choice["text"] = "".join(pieces)
            if asked.get("echo"):
                choice["logprobs"] = {"tokens": ["x"] * len(prompt), "token_logprobs": [None, *[-1.0] * (len(prompt) - 1)]}
        usage = {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count}
        kind = "chat.completion" if chat else "text_completion"
        self.say(200, {"id": "1", "object": kind, "created": 0, "model": self.server.model, "choices": [choice], "usage": usage})

    def stream(self, pieces, reason):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in [*pieces, None]:
            delta, ended = ({"content": piece}, None) if piece is not None else ({}, reason)
            choices = [{"index": 0, "delta": delta, "finish_reason": ended}]
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": choices}
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            self.wfile.flush()
            self.server.pause.wait(0.02)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def say(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Provider:
    def serve(self, model, name, address, step):
        server = ThreadingHTTPServer((address.host, address.port), Parrot)
        server.daemon_threads = True
        server.model, server.busy, server.pause = name, threading.Semaphore(1000), threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        step.ready(url=f"http://{address.host}:{server.server_address[1]}/v1", model=name)
        step.wait_cancelled()
        server.shutdown()
        for _ in range(1000):  # all requests that are under way
            server.busy.acquire(timeout=10)
