"""Parents, each made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .parent_models import PARENTS


@pytest.fixture(scope="session")
def parent_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``parent_model("llama")``: its directory."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = PARENTS[name](tmp_path_factory.mktemp("parents") / name)
        return made[name]

    return make
