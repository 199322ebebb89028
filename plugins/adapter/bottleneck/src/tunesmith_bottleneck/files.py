"""Its files, ``adapter/bottleneck``: ``adapter.json`` and ``adapter.safetensors``, with names as in the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import UserError
from tunesmith_bottleneck.layer import ACTIVATIONS, PARTS, BottleneckLinear
from tunesmith_bottleneck.settings import BottleneckSettings

CONFIG, WEIGHTS = "adapter.json", "adapter.safetensors"
VERSION = 1


def write(directory: Path, layers: Mapping[str, BottleneckLinear], settings: BottleneckSettings) -> None:
    weights = {f"{name}.{part}": value for name, layer in layers.items() for part, value in layer.weights().items()}
    save_file({name: value.detach().float().cpu().contiguous() for name, value in weights.items()}, directory / WEIGHTS)
    config = {"bottleneck": VERSION, "activation": settings.non_linearity, "scale": settings.scaling, "dropout": settings.dropout}
    (directory / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def read(directory: Path) -> tuple[BottleneckSettings, dict[str, dict[str, torch.Tensor]]]:
    """What of the settings is needed to run, and weights by layer and part.

    Raises:
        UserError: TS-TRAIN-046 when it is no such adapter.
    """
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(directory / WEIGHTS)
        if config["bottleneck"] != VERSION or config["activation"] not in ACTIVATIONS:
            raise misfit(directory, f"It is of version {config['bottleneck']} with the activation {config['activation']!r}.")
        settings = BottleneckSettings(non_linearity=config["activation"], scaling=float(config["scale"]), dropout=float(config["dropout"]))
    except (OSError, ValueError, KeyError) as error:
        raise misfit(directory, f"It can't be read: {error}.") from error
    weights: dict[str, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        layer, kind, part = name.rsplit(".", 2)
        weights.setdefault(layer, {})[f"{kind}.{part}"] = value
    if incomplete := [name for name, found in weights.items() if found.keys() != set(PARTS)]:
        raise misfit(directory, f"Of {incomplete[0]} some weights are missing.")
    return settings, weights


def misfit(directory: Path, reason: str) -> UserError:
    return UserError(
        "TS-TRAIN-046", f"The bottleneck adapter in {directory.name} can't be put on the model", why=reason,
        fix="Give the base model that it was trained on.",
    )  # fmt: skip
