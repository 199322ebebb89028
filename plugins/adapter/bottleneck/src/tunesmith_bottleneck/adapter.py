"""The adapter `bottleneck`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import TunesmithError
from tunesmith_bottleneck import files
from tunesmith_bottleneck.estimate import width
from tunesmith_bottleneck.layer import BottleneckLinear, start
from tunesmith_bottleneck.settings import BottleneckSettings
from tunesmith_torch.api.layers import block_ends, layer_seed, linears, replace, sizes, switched_off


class Bottleneck:
    """Puts a small network after the linear layer that ends a block; only the networks train."""

    modules_only = True

    def __init__(self, settings: BottleneckSettings) -> None:
        self.settings = settings

    def attach(self, model: Any, *, seed: int, reference: bool = False) -> None:
        """
        Raises:
            UserError: TS-TRAIN-047 when the model's blocks are not found.
        """
        model.requires_grad_(False)
        s, houlsby = self.settings, self.settings.placement == "houlsby"
        for name, linear in block_ends(model, attention=houlsby).items():
            outputs = sizes(linear)[1]
            weights = start(outputs, width(outputs, s.reduction_factor), layer_seed(seed, name))
            replace(model, name, BottleneckLinear(linear, weights, activation=s.non_linearity, scale=s.scaling, dropout=s.dropout))

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """The base is still there: the networks are left out."""
        with switched_off(layer for _, layer in adapted(model)):
            yield model

    def save(self, model: torch.nn.Module, directory: Path) -> None:
        files.write(directory, dict(adapted(model)), self.settings)

    def load(self, model: torch.nn.Module, directory: Path) -> None:
        """The files say where the networks are and what they compute: the settings have no part in it."""
        model.requires_grad_(False)
        self.settings, weights = files.read(directory)
        found, s = linears(model), self.settings
        for name, values in weights.items():
            if name not in found or values["up.weight"].shape[0] != sizes(found[name])[1]:
                raise files.misfit(directory, f"It stands after a layer `{name}` that the model has not, or has in another size.")
            replace(model, name, BottleneckLinear(found[name], values, activation=s.non_linearity, scale=s.scaling, dropout=s.dropout))

    def merge(self, model: Any) -> Any:
        """
        Raises:
            TunesmithError: TS-TRAIN-045, always.
        """
        raise TunesmithError(
            "TS-TRAIN-045", "Bottleneck adapters can't be merged into a model", why="They are not linear: no matrix computes what they do.",
            fix="Use the adapter beside its base, or train one that merges.",
        )  # fmt: skip


def adapted(model: torch.nn.Module) -> Iterator[tuple[str, BottleneckLinear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, BottleneckLinear))
