"""The training engine in plain PyTorch: the verbs `train` and `merge`, and the pieces that other plugins build on.

Importing this package imports nothing heavy; the names below load torch and transformers at their first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ChatTokenizer": "data.tokenizer.chat_tokenizer", "load_tokenizer": "data.tokenizer.loader", "load_model": "model.loader",
    "Packed": "data.packing", "pack": "data.packing", "label_log_probs": "model.log_probs",
}  # fmt: skip

__all__ = ["ChatTokenizer", "Packed", "label_log_probs", "load_model", "load_tokenizer", "pack"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
