"""A place with plugins that listen."""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

import pytest
from tiny_plans import Place

from tunesmith.plugins.records import Plugin


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """A place with plugins made of the given texts; each is the body of a module."""
    count = 0

    def make(*bodies: str, state: str = "active") -> Place:
        nonlocal count
        plugins = []
        for body in bodies:
            name = f"tiny_listener_{abs(hash(request.node.name))}_{count}"
            count += 1
            head = "from tunesmith.hookspecs import hookimpl\nfrom tunesmith.contracts import Remedy, UserError\nseen = []\n"
            (tmp_path / f"{name}.py").write_text(head + textwrap.dedent(body))
            events = tuple(
                line.split("(")[0].removeprefix("def ") for line in textwrap.dedent(body).splitlines() if line.startswith("def ")
            )
            plugins.append(Plugin(name, "1.0", name, events=events, state=state))
        return dataclasses.replace(Place.at(tmp_path), plugins=tuple(plugins))

    monkeypatch.syspath_prepend(str(tmp_path))
    return make
