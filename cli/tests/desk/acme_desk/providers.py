"""The made-up providers."""

from __future__ import annotations

import http.server
import json
import os
import threading

from tunesmith.contracts import Device, Evaluation, ModelInfo, Result, UserError
from tunesmith_data.api import message


class Shelf:
    def resolve(self, uri, step) -> ModelInfo:
        name = uri.partition("://")[2]
        if name == "nothing":
            raise UserError("TS-MODEL-001", f"there is no {uri}", fix="Look at the other shelf.")
        return ModelInfo(uri, "r1", "model/text", {"text": {"size": len(name)}}, {}, {"text": name})

    def fetch(self, info, output, step) -> None:
        (output / "text").write_text(info.fetch["text"])


class Pairs:
    def convert(self, row):
        if row["a"] == "nobody":
            raise UserError("TS-DATA-020", "`a` is nobody", why="There is no such person.", fix="Name somebody.")
        return {"messages": [message("user", row["q"]), message("assistant", row["a"])]}


class Echo:
    def __init__(self, settings):
        self.settings = settings


class Tilt:
    def __init__(self, settings=None):
        self.angle = settings.angle if settings else 0


class Shorter:
    def __init__(self, settings):
        self.settings = settings

    def quantize(self, model, output, calibration, step):
        (output / "text").write_text((model.path / "text").read_text()[:: self.settings.every])
        return Result()


class Letters:
    def evaluate(self, subject, data, step) -> Evaluation:
        return Evaluation({"letters": float(len((subject.path / "text").read_text()))})


class Words:
    def evaluate(self, subject, data, step) -> Evaluation:
        return Evaluation({"words": float(len((subject.path / "text").read_text().split()))})


class Abacus:
    def probe(self):
        if os.environ.get("ACME_ABACUS") == "broken":
            raise ZeroDivisionError("a bead is missing")
        return [Device("ten beads", memory=2**34, free=2**33, cores=10)]


class Kettle:
    """An OpenAI-compatible endpoint that streams the model's text and the last question."""

    def serve(self, model, name, address, step) -> None:
        text = (model.path / "text").read_text()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(json.dumps({"data": [{"id": name}]}).encode(), "application/json")

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
                pieces = [text, " heard ", *(turn["content"] for turn in asked if turn["role"] == "user")]
                lines = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
                self.answer("".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode(), "text/event-stream")

        server = http.server.ThreadingHTTPServer((address.host, address.port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        step.ready(url=f"http://{address.host}:{server.server_address[1]}/v1", model=name)
        step.wait_cancelled()
        server.shutdown()


class Book:
    """Listens to runs: writes the address that it was given into the run's directory."""

    def __init__(self, settings):
        self.settings = settings

    def run_started(self, run):
        with open(run.directory / "book.txt", "a") as file:
            file.write(self.settings.address + "\n")
