"""Ctrl-C in a real terminal: before the yes nothing was run, and a training that it stops goes on from its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from small_project import COMMAND, SmallProject

pytestmark = pytest.mark.slow

GOAL = "tiny on chats.csv, max_steps=400, save_steps=5"
CTRL_C = "\x03"
INTERRUPTED = 130


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


class AutoSession:
    """`tunesmith auto` in a pseudo-terminal."""

    def __init__(self, project: SmallProject, *more: str) -> None:
        self.program = pexpect.spawn(
            COMMAND, project.words(GOAL, *more), cwd=str(project.folder), env=project.environment, encoding="utf-8", timeout=600,
            dimensions=(50, 120),
        )  # fmt: skip
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


def test_ctrl_c_before_the_yes_runs_nothing_and_in_training_loses_nothing(project: SmallProject, sessions: list[AutoSession]):
    before = AutoSession(project)
    sessions.append(before)
    before.until(r"Go on\?")
    assert before.interrupt() == 0
    assert "Nothing was run" in before.said
    assert (project.folder / "tunesmith.yaml").exists()
    assert not (project.home / "runs").exists()

    first = AutoSession(project)
    sessions.append(first)
    first.until(r"Go on\?")
    first.program.sendline("y")
    first.until("tune: loss [0-9.]+ \\(step")
    deadline = time.monotonic() + 300
    while not [*project.home.glob("**/checkpoint*")] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert first.interrupt() == INTERRUPTED
    assert "cancelled" in first.said

    again = AutoSession(project, "--yes")
    sessions.append(again)
    again.until("goes on from step [0-9]+")
    assert again.interrupt() == INTERRUPTED
    assert "data:chats: cached" in again.said or "= data:chats" in again.said
