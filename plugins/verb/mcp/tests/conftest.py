"""A folder with rows and a pipeline, and a server for it that is spoken to in this process by the SDK's own client."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tunesmith_cli.api import main
from tunesmith_mcp.confirmations import Confirmations
from tunesmith_mcp.server import make_server
from tunesmith_mcp.tunesmith_command import told

ROWS = '{"messages": [{"role": "user", "content": "Where is my order?"}, {"role": "assistant", "content": "It is on its way."}]}\n'
PIPELINE = "name: look\nsteps:\n  rows: {prepare: messages, from: train.jsonl}\n"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.jsonl").write_text(ROWS * 3)
    (folder / "tunesmith.yaml").write_text(PIPELINE)
    (tmp_path / "secret.jsonl").write_text(ROWS)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("TUNESMITH_HOME", raising=False)
    return folder


async def ask_here(words: Sequence[str]) -> Any:
    """As the server asks a command, in this process: starting one takes a second."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        main([*words, "--json"])
    return told(words[0], said.getvalue())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connected(folder: Path, clock: Clock) -> Callable[[], contextlib.AbstractAsyncContextManager[Client]]:
    """A client that is connected to the server of the folder."""

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        server = make_server(folder, folder / ".tunesmith", ask_here, Confirmations(60, clock))
        async with Client(server) as client:
            yield client

    return connect


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
