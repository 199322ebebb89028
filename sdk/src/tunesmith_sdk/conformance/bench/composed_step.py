"""A verb's step in which providers of other plugins take part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.plugins.records import Plugin


@dataclass(frozen=True)
class Composed:
    """A verb's step with everything that it reads.

    Args:
        step: its ``run`` request's, but for the directories.
        format: of what it is to make.
        plugins: who takes part in it.
    """

    step: Mapping[str, Any]
    format: str
    plugins: tuple[Plugin, ...]
