"""Tunesmith: a plugin microkernel for the whole life of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.api import Pipeline

__all__ = ["Pipeline", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`tunesmith.Pipeline`, imported when it is first asked for: the command and the workers never do."""
    if name == "Pipeline":
        from tunesmith.api import Pipeline

        return Pipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
