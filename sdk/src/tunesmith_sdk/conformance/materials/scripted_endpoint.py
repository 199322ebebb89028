"""An endpoint without a model: it answers each row's question rightly or wrongly, as it is told. A fake, and named so."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact

WRONG = "I would rather talk about something else."


@contextmanager
def scripted_endpoint(answers: Mapping[str, str], directory: Path, *, failures: int = 0) -> Iterator[Artifact]:
    """An ``endpoint/openai`` that answers a prompt by what `answers` holds for it, and by something wrong where that holds nothing.

    Asked for the log-probabilities of a prompt of token ids, it says -1 for each. A stream has a piece for each word.

    Args:
        failures: requests that get status 500 before the first answer.
    """
    ahead = iter(range(failures))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silent."""

        def do_GET(self) -> None:
            self._send({"data": [{"id": "scripted", "object": "model"}], "object": "list", "status": "ok"})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if next(ahead, None) is not None:
                return self.send_error(500)
            text = answers.get(_question(asked), WRONG)
            choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
            chat = "messages" in asked
            choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            if asked.get("echo"):
                choice["logprobs"] = {"token_logprobs": [None, *[-1.0] * (len(asked["prompt"]) - 1)]}
            usage = {"prompt_tokens": 1, "completion_tokens": len(text.split()), "total_tokens": 1 + len(text.split())}
            if chat and asked.get("stream"):
                return self._stream(text, usage)
            kind = "chat.completion" if chat else "text_completion"
            self._send({"id": "1", "object": kind, "created": 0, "model": "scripted", "choices": [choice], "usage": usage})

        def _stream(self, text: str, usage: Mapping[str, int]) -> None:
            pieces = [{"choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in text.split()]
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for event in (*pieces, end, {"choices": [], "usage": usage}):
                self.wfile.write(b"data: " + json.dumps({"id": "1", "object": "chat.completion.chunk", **event}).encode() + b"\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, answer: Mapping[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        yield Artifact("endpoint/openai", directory, meta={"url": url, "model": "scripted"})
    finally:
        server.shutdown()
        server.server_close()


def _question(asked: Mapping[str, Any]) -> str:
    if "messages" not in asked:
        return str(asked.get("prompt", ""))
    content = asked["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
