"""A dense decoder's files, in Hugging Face's layout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

if TYPE_CHECKING:
    from tunesmith_torch.model.dense.decoder import Dense

SINGLE, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
SHARD = 50 * 10**9  # bytes of a file, as transformers has it


def save(model: Dense, directory: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Write ``config.json`` and `weights`; a head that is the embedding's matrix is written once.

    Args:
        weights: by the names of `model`'s parameters.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = {name: value for name, value in model.spec.config.items() if name != "torch_dtype"}
    config |= {"tie_word_embeddings": model.config.tie_word_embeddings}
    if model.config.dtype is not None:
        config["dtype"] = str(model.config.dtype).removeprefix("torch.")
    (directory / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    kept = {name: value.detach() for name, value in weights.items() if not (name == "lm_head.weight" and config["tie_word_embeddings"])}
    shards = list(_shards(kept))
    if len(shards) == 1:
        _write(kept, shards[0], directory / SINGLE)
        return
    places = {}
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write(kept, names, directory / file)
        places |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": sum(value.nbytes for value in kept.values())}, "weight_map": places}
    (directory / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _shards(weights: Mapping[str, torch.Tensor]) -> Iterator[list[str]]:
    """Names, file by file."""
    names: list[str] = []
    size = 0
    for name, value in weights.items():
        if names and size + value.nbytes > SHARD:
            yield names
            names, size = [], 0
        names.append(name)
        size += value.nbytes
    yield names


def _write(weights: Mapping[str, torch.Tensor], names: list[str], path: Path) -> None:
    save_file({name: weights[name].cpu().contiguous() for name in names}, path, metadata={"format": "pt"})
