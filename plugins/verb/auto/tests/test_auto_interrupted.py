"""Ctrl-C in a real terminal: before the yes nothing was run, and a training that it stops goes on from its checkpoint."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = pytest.mark.slow

COMMAND = str(Path(sys.executable).with_name("tunesmith"))
GOAL = "tiny on chats.csv, max_steps=400, save_steps=5"
SHAPE = (
    *("model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size"),
    *("tie_word_embeddings", "max_position_embeddings"),
)
CTRL_C = "\x03"
INTERRUPTED = 130


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Ninety questions, and a catalogue that has a tiny model alone."""
    model = tiny_model(tmp_path / "tiny")
    config = json.loads((model / "config.json").read_text())
    family = {
        "family": "Tiny", "licence": "Apache-2.0", "released": "2026-11", "languages": ["en"], "template": "chatml", "context": 512,
        "source": "a test", "config": {**{name: config[name] for name in SHAPE}, "dtype": "float32"},
        "models": [{"uri": f"file://{model}", "parameters": 0.0003, "config": {}}],
    }  # fmt: skip
    (tmp_path / "models.json").write_text(json.dumps({"families": [family]}))
    rows = "".join(f"What is thing {number}?,It is number {number}.\n" for number in range(90))
    (tmp_path / "chats.csv").write_text(f"instruction,output\n{rows}")
    return tmp_path


class AutoSession:
    """`tunesmith auto` in a pseudo-terminal."""

    def __init__(self, project: Path, *more: str) -> None:
        words = ["auto", "--goal", GOAL, "--models", "models.json", "--any-model", "--no-load-test", "--no-serve", *more]
        environment = {**os.environ, "TUNESMITH_LANG": "en", "TUNESMITH_HOME": str(project / "home"), "TERM": "dumb"}
        self.program = pexpect.spawn(COMMAND, words, cwd=str(project), env=environment, encoding="utf-8", timeout=600, dimensions=(50, 120))
        self.said = ""

    def until(self, text: str) -> None:
        self.program.expect(text)
        self.said += str(self.program.before) + str(self.program.after)

    def interrupt(self) -> int:
        """Its exit status after Ctrl-C."""
        self.program.send(CTRL_C)
        self.program.expect(pexpect.EOF)
        self.said += str(self.program.before)
        self.program.close()
        return int(self.program.exitstatus if self.program.exitstatus is not None else -1)


@pytest.fixture
def sessions(project: Path) -> Iterator[list[AutoSession]]:
    begun: list[AutoSession] = []
    yield begun
    for one in begun:
        one.program.close(force=True)


def test_ctrl_c_before_the_yes_runs_nothing_and_in_training_loses_nothing(project: Path, sessions: list[AutoSession]):
    before = AutoSession(project)
    sessions.append(before)
    before.until(r"Go on\?")
    assert before.interrupt() == 0
    assert "Nothing was run" in before.said
    assert (project / "tunesmith.yaml").exists()
    assert not (project / "home" / "runs").exists()

    first = AutoSession(project)
    sessions.append(first)
    first.until(r"Go on\?")
    first.program.sendline("y")
    first.until("tune: loss [0-9.]+ \\(step")
    deadline = time.monotonic() + 300
    while not [*(project / "home").glob("**/checkpoint*")] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert first.interrupt() == INTERRUPTED
    assert "cancelled" in first.said

    again = AutoSession(project, "--yes")
    sessions.append(again)
    again.until("goes on from step [0-9]+")
    assert again.interrupt() == INTERRUPTED
    assert "data:chats: cached" in again.said or "= data:chats" in again.said
