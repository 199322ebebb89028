"""A judge that is no model: a real HTTP server that speaks the chat API and judges by a rule. It stands in for a judge, and is named so."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARKED = re.compile(r"<<<((.+?) [0-9a-f]{8})\n(.*?)\n\1>>>", re.DOTALL)


def by_words(shown: dict[str, str]) -> str:
    """The best mark for an answer with the reference's words, or a text that says 42; of two, the longer one."""
    if "answer A" in shown:
        first, second = len(shown["answer A"]), len(shown["answer B"])
        return "They differ.\nVerdict: " + ("tie" if first == second else "A" if first > second else "B")
    scale = int(shown["scale"])
    wanted = shown.get("reference answer", "42")
    right = wanted in shown["answer"] and len(shown["answer"]) < 200
    said = f"`{shown['answer']}` {'holds' if right else 'lacks'} it.\nScore: {scale if right else 1 + (scale > 5)}"
    return said if len(said.split()) <= int(shown["max_tokens"]) else (said, "length")


@contextmanager
def rule_judge(rule=by_words):
    """Yields (base of its API, the requests that it has seen). `rule` is given what stands between the marks and says the judgement, a
    judgement with its finish reason, or a status that refuses."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send(200, {"data": [{"id": "rule"}]})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(asked)
            text = asked["messages"][-1]["content"]
            shown = {name: content for _, name, content in MARKED.findall(text)}
            shown["scale"] = (re.findall(r"to (\d+), the best", text) or ["10"])[-1]
            shown["max_tokens"] = asked["max_tokens"]
            said = rule(shown)
            if isinstance(said, int):
                return self._send(said, {"error": {"message": "refused by the rule"}})
            said, end = said if isinstance(said, tuple) else (said, "stop")
            self._send(200, {"choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": end}]})

        def _send(self, status, told):
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
