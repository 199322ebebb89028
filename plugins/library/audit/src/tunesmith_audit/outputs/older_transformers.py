"""Checkpoints of today read by transformers before version 5, beside which AutoAWQ and AutoGPTQ run.

It would not fail on the newer words of a config, but compute something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunesmith_models.model_directory import older_view


def _is_older() -> bool:
    import transformers

    return int(transformers.__version__.split(".")[0]) < 5


@contextmanager
def readable(directory: Path) -> Iterator[Path]:
    """The directory, or a view of it in the words that an older transformers knows, for as long as it takes to load it."""
    if not _is_older():
        yield directory
        return
    with TemporaryDirectory() as folder:
        yield older_view(directory, Path(folder))


def in_dtype(dtype: Any) -> dict[str, Any]:
    """The keyword of `from_pretrained` for a dtype."""
    return {"torch_dtype" if _is_older() else "dtype": dtype}
