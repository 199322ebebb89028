"""One command: the environment is made, the model served in it and scored over its endpoint; and nothing of it outlives a killed host."""

from __future__ import annotations

import json
import os
import signal
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
  api: {serve: {llamacpp: {parallel: 4, ctx_size: 512}}}
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
    command = [sys.executable, "-m", "tunesmith_cli", "run", *words]
    return subprocess.Popen(command, cwd=project, env=os.environ | own, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def scores(project: Path) -> dict[str, dict[str, float]]:
    """Metrics of the pipeline that scores the model and its endpoint; from the cache if that was done before."""
    with start(project, PIPELINE + SCORE, "--json") as host:
        out, err = host.communicate()
    assert host.returncode == 0, out + err
    return {event["step"]: event["metrics"] for event in map(json.loads, out.splitlines()) if event["event"] == "step_finished"}


def test_a_served_gguf_scores_as_its_weights_do(project: Path) -> None:
    found = scores(project)
    here, there = (found[f"score:{subject}:perplexity"] for subject in ("model", "api"))
    assert there["tokens"] == here["tokens"]
    assert there["nll"] == pytest.approx(here["nll"], rel=0.02)  # 4-bit weights times 8-bit activations there, float32 here
    assert find_spec("xllamacpp") is None
    assert list(project.glob("cache/environments/*/lib/python*/site-packages/xllamacpp"))


def test_an_engine_killed_while_it_is_asked_is_started_again_and_the_numbers_are_the_same(project: Path) -> None:
    pipeline = PIPELINE + SCORE.replace("[model, api]", "api").replace("rows.jsonl", "many.jsonl")
    (project / "many.jsonl").write_text((project / "rows.jsonl").read_text() * 10)
    killed, done, decided = False, {}, []
    with start(project, pipeline, "--json") as host:
        assert host.stdout is not None
        for event in map(json.loads, host.stdout):
            if event["event"] == "progress" and event["what"] == "scoring" and event["done"] and not killed:
                serving = {process: command for process, command in servers(project).items() if "--model" in command}
                (engine,) = (process for process, command in serving.items() if "orphan_reaper.py" not in command)
                os.kill(engine, signal.SIGKILL)
                killed = True
            elif event["event"] == "step_finished":
                done[event["step"]] = event
            elif event["event"] == "decision":
                decided.append(event)
        assert host.wait() == 0
    assert killed
    assert any("start llama.cpp again" in decision["what"] and "SIGKILL" in decision["reason"] for decision in decided)
    once = done["score"]["metrics"]
    unharmed = scores(project)["score:api:perplexity"]  # the same rows once, so the same mean
    assert once["tokens"] == 10 * unharmed["tokens"]
    assert once["nll"] == pytest.approx(unharmed["nll"], rel=1e-3)


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


def servers(project: Path) -> dict[int, str]:
    """The processes that came out of the project's environments, and their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().replace("\0", " ")
        except OSError:
            continue
        if str(project / "cache" / "environments") in command:
            found[int(process.name)] = command
    return found
