"""One command: the environment is made, the model served in it and scored over its endpoint; and nothing of it outlives a killed host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact

pytestmark = pytest.mark.isolated

PIPELINE = """
name: bot
model: file://model
steps:
  api: {serve: {llamacpp: {slots: 4, context: 512}}}
"""
SCORE = "  score: {evaluate: perplexity, from: [model, api], data: rows.jsonl}\n"
ROWS = [
    ("What is the capital of France?", "The capital of France is Paris."),
    ("In Chinese?", "法国的首都是巴黎。 🎉"),
    ("Count!", "1, 2, 3"),
]


@pytest.fixture(scope="module")
def project(gguf: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "model").symlink_to(gguf.path)
    (folder / "rows.jsonl").write_text("".join(json.dumps({"instruction": q, "output": a}) + "\n" for q, a in ROWS))
    return folder


def start(project: Path, pipeline: str, *words: str) -> subprocess.Popen[str]:
    (project / "tunesmith.yaml").write_text(pipeline)
    own = {"TUNESMITH_CACHE": str(project / "cache"), "XDG_CONFIG_HOME": str(project)}
    command = [sys.executable, "-m", "tunesmith", "run", *words]
    return subprocess.Popen(command, cwd=project, env=os.environ | own, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_served_gguf_scores_as_its_weights_do(project: Path) -> None:
    with start(project, PIPELINE + SCORE, "--json") as host:
        out, err = host.communicate()
    assert host.returncode == 0, out + err
    done = {event["step"]: event for event in map(json.loads, out.splitlines()) if event["event"] == "step_finished"}
    here, there = (done[f"score:{subject}:perplexity"]["metrics"] for subject in ("model", "api"))
    assert there["tokens"] == here["tokens"]
    assert there["nll"] == pytest.approx(here["nll"], rel=0.02)  # 4-bit weights times 8-bit activations there, float32 here
    assert find_spec("xllamacpp") is None
    assert list(project.glob("cache/environments/*/lib/python*/site-packages/xllamacpp"))


def test_nothing_of_it_outlives_a_killed_host(project: Path) -> None:
    host = start(project, PIPELINE)
    assert host.stdout is not None
    said = ""
    while "http://127.0.0.1:" not in said:
        line = host.stdout.readline()
        assert line, said
        said += line
    port = int(said.partition("http://127.0.0.1:")[2].partition("/")[0])
    assert servers(project)
    host.kill()
    host.communicate()
    until = time.monotonic() + 30
    while servers(project) and time.monotonic() < until:
        time.sleep(0.05)
    assert not servers(project)
    with socket.create_server(("127.0.0.1", port)):
        pass


def servers(project: Path) -> list[str]:
    """Command lines of the processes that came out of the project's environments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().replace("\0", " ")
        except OSError:
            continue
        if str(project / "cache" / "environments") in command:
            found.append(command)
    return found
