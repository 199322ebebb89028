"""Not an engine: a program that behaves like one where a supervisor looks, and misbehaves as its arguments and requests say.

``python fake_engine.py PORT [--say TEXT] [--fail] [--silent] [--deaf] [--slow SECONDS] [--child FILE] [--once FILE]``; GET /health
answers, /exit ends it with status 3, /hang leaves every further question without an answer.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('child', flush=True); time.sleep(300)"
hung = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/exit":
            print("CUDA-like trouble\nthe last words", flush=True)
            os._exit(3)
        if self.path == "/hang":
            hung.set()
        elif hung.is_set():
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--say", default="")
    parser.add_argument("--fail", action="store_true", help="end at once with status 1")
    parser.add_argument("--silent", action="store_true", help="never answer")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--slow", type=float, help="end so many seconds after SIGTERM")
    parser.add_argument("--child", help="start a deaf child in a session of its own, and write both process ids to this file")
    parser.add_argument("--once", help="live only where this file is not there yet")
    asked = parser.parse_args()
    if asked.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if asked.slow:
        signal.signal(signal.SIGTERM, lambda *_: threading.Timer(asked.slow, os._exit, (0,)).start())
    if asked.child:
        child = subprocess.Popen([sys.executable, "-c", CHILD], start_new_session=True, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        Path(asked.child).write_text(f"{os.getpid()} {child.pid}")
    print(asked.say, file=sys.stderr, flush=True)
    if asked.fail or (asked.once and Path(asked.once).exists()):
        sys.exit(1)
    if asked.once:
        Path(asked.once).touch()
    if asked.silent:
        threading.Event().wait()
    ThreadingHTTPServer(("127.0.0.1", asked.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
