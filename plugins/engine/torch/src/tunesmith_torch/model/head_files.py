"""Heads on the disk: beside an adapter in a file of their own, in a whole model as transformers' classes have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tunesmith_torch.api import Head

FILE, _HEADS = "heads.safetensors", "heads"  #: the file, and the entry of its header that describes them
_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
_PARTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
_CAUSAL = "ForCausalLM"


def write_heads(directory: Path, heads: Sequence[Head], weights: Mapping[str, torch.Tensor]) -> None:
    """Add them to what lies in `directory`: an adapter, or a model, which becomes one of transformers' classes with such a head. One that
    no class has is not added to a model; nor is one that is there, as that of an encoder.

    Args:
        weights: ``<head>.weight`` and ``<head>.bias``; of an encoder, by their names in the model.
    """
    kept = {name: value.detach().float().cpu().contiguous() for name, value in weights.items()}
    if not (directory / _CONFIG).exists():
        save_file(kept, directory / FILE, metadata={_HEADS: json.dumps([asdict(head) for head in heads])})
        return
    if not any(head.task for head in heads):
        return
    config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
    (head,) = heads
    if any(name.endswith(head.task) for name in config.get("architectures") or ()):
        return
    _add_file(directory, kept)
    config |= {"architectures": [name.replace(_CAUSAL, head.task) for name in config.get("architectures") or []], **_labels(head)}
    (directory / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_heads(directory: Path) -> tuple[list[Head], dict[str, torch.Tensor]]:
    """Those beside an adapter; none where it has none."""
    if not (directory / FILE).exists():
        return [], {}
    with safe_open(directory / FILE, framework="pt") as tensors:
        described = json.loads(tensors.metadata()[_HEADS])
        heads = [Head(**{**entry, "labels": tuple(entry["labels"])}) for entry in described]
        return heads, {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 - no mapping


def _labels(head: Head) -> dict[str, object]:
    names = {str(at): name for at, name in enumerate(head.labels or [f"LABEL_{at}" for at in range(head.width)])}
    problem = {"problem_type": head.problem_type} if head.problem_type else {}
    return {"id2label": names, "label2id": {name: int(at) for at, name in names.items()}, **problem}


def _add_file(directory: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """As a further file of the model, which its index names."""
    if (directory / _WEIGHTS).exists():
        (directory / _WEIGHTS).rename(directory / _PARTS[0])
        with safe_open(directory / _PARTS[0], framework="pt") as tensors:
            index = {"metadata": {}, "weight_map": dict.fromkeys(sorted(tensors.keys()), _PARTS[0])}
        file = _PARTS[1]
    else:
        index, file = json.loads((directory / _INDEX).read_text(encoding="utf-8")), FILE
    save_file(dict(weights), directory / file, metadata={"format": "pt"})
    index["weight_map"] |= dict.fromkeys(weights, file)
    (directory / _INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")
