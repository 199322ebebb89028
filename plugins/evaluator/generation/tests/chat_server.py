"""A real HTTP server on this machine that speaks as much of the chat API as is asked of it, and stumbles where a test says so."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tunesmith.contracts import Artifact


class ChatServer(ThreadingHTTPServer):
    """Answers the last user's turn from `answers`: a text, or a text and its finish reason. `before(number)` may return (status, body) to
    send instead; a status of None hangs up."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.seen, self.before, self.lock = answers, [], lambda number: None, threading.Lock()

    @property
    def endpoint(self):
        url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        return Artifact("endpoint/openai", None, meta={"url": url, "model": "m"})


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            number = len(self.server.seen)
        status, reply = self.server.before(number) or (200, None)
        if status is None:
            self.close_connection = True
            return
        said = self.server.answers.get(body["messages"][-1]["content"], "no idea")
        text, end = said if isinstance(said, tuple) else (said, "stop")
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": end}
        reply = reply if reply is not None else json.dumps({"choices": [choice]})
        self.send_response(status)
        self.send_header("Content-Length", str(len(reply.encode())))
        self.end_headers()
        self.wfile.write(reply.encode())

    def log_message(self, *args):
        """Quiet."""


@contextmanager
def chat_server(answers):
    server = ChatServer(answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
