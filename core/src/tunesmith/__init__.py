"""Tunesmith: a plugin microkernel for the whole life of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.api import Pipeline
    from tunesmith.running.journal.run_view import RunView

__all__ = ["Pipeline", "RunView", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`tunesmith.Pipeline` and `tunesmith.RunView`, imported when they are first asked for: the command and the workers never do."""
    if name == "Pipeline":
        from tunesmith.api import Pipeline

        return Pipeline
    if name == "RunView":
        from tunesmith.running.journal.run_view import RunView

        return RunView
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
