"""The checks as tests of pytest, one each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.conformance.examination import Examination, examinations
from tunesmith_sdk.conformance.report.outcome import EXPECTED, NOT_RUN


def suite(where: str | Path, *, env: str = "auto") -> Callable[..., None]:
    """A parametrised test, with one case for every check that follows from what a plugin declares.

    A check that can't be made here is skipped with the reason; an expected failure is an xfail, and strict.

    Args:
        where: the plugin's source folder or anything in it: ``__file__`` of the test.
        env: ``host``, ``isolated``, or ``auto``: where the plugin would run.
    """
    found = examinations(source_folder(Path(where)), env)
    by_key = {planned.key: examination for examination in found for planned in examination.planned}

    @pytest.mark.parametrize("conformance", list(by_key))
    def test(conformance: str, request: pytest.FixtureRequest) -> None:
        examination = by_key[conformance]
        chosen = _selected(request, examination, by_key)
        outcome = {o.key: o for o in examination.outcomes(chosen)}[conformance]
        if outcome.state == NOT_RUN:
            pytest.skip(f"not run: {outcome.said()}")
        if outcome.state == EXPECTED:
            pytest.xfail(outcome.said())
        assert outcome.ok, f"{outcome.title}: {outcome.said()}\nSee docs/conformance/{outcome.check}.md"

    return test


def _selected(request: pytest.FixtureRequest, examination: Examination, by_key: dict[str, Examination]) -> list[str]:
    """The keys of the provider's checks that pytest was asked for: they share workers."""
    mine: str = request.node.callspec.params["conformance"]
    asked: list[Any] = [item for item in request.session.items if getattr(item, "function", None) is request.function]
    keys = [item.callspec.params["conformance"] for item in asked]
    provider = mine.rpartition(":")[0]
    return [key for key in keys if key.rpartition(":")[0] == provider and by_key[key] is examination] or [mine]


def source_folder(path: Path) -> Path:
    """The nearest folder at or above `path` with a pyproject.toml."""
    for folder in (path, *path.resolve().parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise FileNotFoundError(f"no pyproject.toml at or above {path}")
