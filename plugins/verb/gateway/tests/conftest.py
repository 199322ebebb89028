"""Engines and gateways for the tests here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from gateway_processes import Engine, Gateway, start_engine, start_gateway


@pytest.fixture
def engine() -> Iterator[Callable[..., Engine]]:
    """``engine("--says", "two")``: starts one; all are killed at the end."""
    started: list[Engine] = []

    def start(*words: str, **more: Any) -> Engine:
        started.append(start_engine(*words, **more))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """``gateway({"models": ...})``: starts one; all are killed at the end."""
    started: list[Gateway] = []

    def start(settings: dict[str, Any], *words: str, **more: Any) -> Gateway:
        started.append(start_gateway(tmp_path / f"gateway{len(started)}", settings, *words, **more))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Engine]]:
    """A gateway before one engine, that the tests of a module share."""
    engine = start_engine("--pause", "0.01")
    try:
        one = start_gateway(
            tmp_path_factory.mktemp("small"),
            {
                "models": {"bot": {"url": engine.url, "model": "small"}, "other": {"url": engine.url, "model": "small"}},
                "client_timeout": 2,
                "first_byte_timeout": 3,
                "idle_timeout": 3,
                "upstream_wait": 1,
            },
        )
        yield one, engine
        assert "Traceback" not in one.errors.read_text()
        one.process.kill()
        one.process.wait()
    finally:
        engine.process.kill()
        engine.process.wait()
