"""A server of scores that is no model: it speaks `/pooling` and scores by a rule. It stands in for a reward model, and is named so."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def pooling_server(failures=0, wait=0.0):
    """Yields (base of its API, the requests that it has seen, the most that were under way at once)."""
    ahead, seen, lock, under_way = iter(range(failures)), [], threading.Lock(), [0, 0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send(200, {"data": [{"id": "judge"}]})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                seen.append(asked)
                under_way[0] += 1
                under_way[1] = max(under_way)
            time.sleep(wait)
            with lock:
                under_way[0] -= 1
            if next(ahead, None) is not None or self.path != "/pooling":
                return self._send(503, {"error": {"message": "busy"}})
            self._send(200, {"data": [{"index": 0, "data": [float(len(asked["messages"][-1]["content"]))]}]})

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
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen, under_way
    finally:
        server.shutdown()
        server.server_close()
