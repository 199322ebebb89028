"""A sentence as a request for what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_ask.request import Request
from tunesmith_ask.rules import sentence
from tunesmith_ask.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


def read(text: str, registry: Registry, models: Path | None = None) -> Request:
    """What a sentence asks for, read by rules; files are named from the current folder.

    Args:
        models: a file that describes models of one's own.
    """
    return sentence.read(text, Vocabulary.of(registry, models), Path())
