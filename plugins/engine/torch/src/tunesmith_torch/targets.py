"""Which layers an adapter goes on, and putting it there: what every adapter that changes layers needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch

from tunesmith.contracts import UserError
from tunesmith.errors import did_you_mean
from tunesmith_torch.towers import tower_modules

ALL, TOWERS = "all-linear", "all-towers"


def linears(model: torch.nn.Module) -> dict[str, torch.nn.Linear]:
    """Every linear layer by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}


def targets(model: Any, wanted: Sequence[str]) -> dict[str, torch.nn.Linear]:
    """The linear layers that `wanted` names, as PEFT matches names: whole, or the end of one after a dot. ``all-linear``: all of the
    language part but the output head; ``all-towers``: all of the parts that see or hear, and of what projects them among the words.

    Raises:
        UserError: TS-TRAIN-010 when one names no linear layer.
    """
    found = linears(model)
    head, towers = model.get_output_embeddings(), tower_modules(model)
    chosen: dict[str, torch.nn.Linear] = {}
    for target in wanted:
        if target == ALL:
            matching = {name: linear for name, linear in found.items() if linear is not head and linear not in towers}
        elif target == TOWERS:
            matching = {name: linear for name, linear in found.items() if linear in towers}
        else:
            matching = {name: linear for name, linear in found.items() if name == target or name.endswith("." + target)}
        if not matching:
            raise UserError(
                "TS-TRAIN-010", f"`{target}` in the setting `targets` names no linear layer of the model",
                fix=did_you_mean(target, {name.rsplit(".", 1)[-1] for name in found}),
            )  # fmt: skip
        chosen |= matching
    return {name: chosen[name] for name in found if name in chosen}


def replace(model: torch.nn.Module, name: str, module: torch.nn.Module) -> None:
    """Put `module` where `name` is."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)


def layer_seed(seed: int, name: str) -> int:
    """A seed that depends on the layer's name, and not on which other layers there are or in which order they are met."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:7], "big")
