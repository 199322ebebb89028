"""Models that can't be had: told before anything is begun, by every loader in the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

PIPELINE = "name: bot\nmodel: %s\nsteps:\n  tune: {train: sft, adapter: lora, data: train.jsonl}\n"


class Hub(BaseHTTPRequestHandler):
    """A server that speaks HTTP and has no model: `status` for whatever is asked."""

    status = 404

    def do_GET(self) -> None:
        body = json.dumps({"error": "Repository not found"}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Error-Code", "RepoNotFound" if self.status == 404 else "")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_directory_that_is_not_there(project) -> None:
    project.pipeline(PIPELINE % "file://weights/final")
    project.refuses(codes="TS-MODEL-001", says=["tunesmith.yaml:2", str(project.folder / "weights" / "final")])


def test_a_directory_without_a_model(project) -> None:
    (project.folder / "empty").mkdir()
    project.pipeline(PIPELINE % "file://empty")
    project.refuses(codes="TS-MODEL-004", says=["tunesmith.yaml:2", "empty"])


def test_a_file_that_is_no_model(project) -> None:
    project.pipeline(PIPELINE % "file://train.jsonl")
    assert project.refuses(codes="TS-MODEL-004").err.count("train.jsonl")


def test_weights_that_are_cut_off(project, whole_model: Path) -> None:
    weights = whole_model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    project.refuses(codes="TS-MODEL-008", says=["model.safetensors"])


def test_a_configuration_that_is_no_json(project, whole_model: Path) -> None:
    (whole_model / "config.json").write_text("{ 'model_type': ")
    project.refuses(codes="TS-MODEL-008", says=["config.json"])


def test_a_package_that_does_not_exist(project, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    project.variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index"), "PIP_CONFIG_FILE": "/dev/null"}
    project.pipeline(PIPELINE % "package://no-such-llm")
    project.refuses(codes="TS-MODEL-001", says=["tunesmith.yaml:2", "`no-such-llm`", "Check the name"])


def test_a_model_that_the_hub_does_not_have(project, hub: ThreadingHTTPServer) -> None:
    project.variables["HF_ENDPOINT"] = f"http://127.0.0.1:{hub.server_port}"
    project.pipeline(PIPELINE % "hf://org/no-such-model")
    project.refuses(codes="TS-MODEL-001", says=["tunesmith.yaml:2", "org/no-such-model"])


def test_a_hub_that_is_not_there(project) -> None:
    project.variables["HF_ENDPOINT"] = "http://127.0.0.1:9"
    project.pipeline(PIPELINE % "hf://org/name")
    project.refuses(codes="TS-MODEL-002", says=["tunesmith.yaml:2", "hf://org/name", "127.0.0.1:9"])


def test_a_hub_when_offline(project) -> None:
    project.variables["TUNESMITH_OFFLINE"] = "1"
    project.pipeline(PIPELINE % "hf://org/name")
    project.refuses(codes="TS-MODEL-002", says=["TUNESMITH_OFFLINE"])


def test_what_is_no_model_uri(project) -> None:
    project.pipeline(PIPELINE % "org/name")
    answer = project.refuses(codes="TS-SPEC-013", says=["`org/name`"])
    assert "://" in answer.err


def test_a_single_command_says_the_same(project) -> None:
    project.refuses("download", "file://modl", codes="TS-MODEL-001", says=["Did you mean `model`?"])
    project.refuses("serve", "--model", "file://modl", codes="TS-MODEL-001", says=["Did you mean `model`?"])
