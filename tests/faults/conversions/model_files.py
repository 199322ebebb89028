"""What lies in a model's directory, read and written back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

Tensors = dict[str, torch.Tensor]


def weights_file(directory: Path) -> Path:
    adapter = directory / "adapter_model.safetensors"
    return adapter if adapter.is_file() else directory / "model.safetensors"


def read_tensors(directory: Path) -> Tensors:
    from safetensors.torch import load_file

    return load_file(weights_file(directory))


def write_tensors(directory: Path, tensors: Tensors) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, weights_file(directory), metadata={"format": "pt"})


@contextmanager
def edited_tensors(directory: Path) -> Iterator[Tensors]:
    """A directory's tensors by name, to be changed; written at the end."""
    tensors = read_tensors(directory)
    yield tensors
    write_tensors(directory, tensors)


@contextmanager
def edited_json(directory: Path, name: str = "config.json") -> Iterator[dict[str, Any]]:
    """One of a directory's JSON files, to be changed; written at the end."""
    content = json.loads((directory / name).read_text(encoding="utf-8"))
    yield content
    (directory / name).write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def layer(number: int, name: str) -> str:
    """The full name of a layer's weight: ``layer(0, "mlp.up_proj")``."""
    return f"model.layers.{number}.{name}.weight"
