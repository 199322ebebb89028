"""AdamW and Lion with 8-bit state, quantized in blocks (Dettmers et al., arXiv:2110.02861), by bitsandbytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bitsandbytes.optim as bnb
import torch

from tunesmith_bitsandbytes_optim.settings import AdamW8Settings, Lion8Settings
from tunesmith_torch.api import Trained, parameter_groups

BITS = "bits"  #: of a parameter group: those of its state


class _Tensors:
    """Mixed into one of the library's: counts are tensors, the 256 values that 8 bits stand for are not kept for each parameter, and a
    parameter group may say in how many bits its state is kept."""

    state: dict[Any, dict[str, Any]]
    name2qmap: dict[str, torch.Tensor]

    def step(self, closure: None = None) -> None:
        for one, held in self.state.items():
            if held:
                held["step"] = int(held["step"])
                for number, signs in ((1, "dynamic"), (2, "udynamic")):
                    if f"absmax{number}" in held:
                        held[f"qmap{number}"] = self.name2qmap[signs] = self.name2qmap[signs].to(one.device)
        super().step()  # type: ignore[misc]
        for held in self.state.values():
            if held:
                held["step"] = torch.tensor(held["step"])
                for number in (1, 2):
                    held.pop(f"qmap{number}", None)

    def get_config(self, gindex: int, pindex: int, group: dict[str, Any]) -> dict[str, Any]:
        return {**super().get_config(gindex, pindex, group), "optim_bits": group[BITS]}  # type: ignore[misc]


class _AdamW(_Tensors, bnb.AdamW8bit):
    pass


class _Lion(_Tensors, bnb.Lion8bit):
    pass


class AdamW8:
    """The optimizer `adamw-8bit`."""

    def __init__(self, settings: AdamW8Settings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings = self.settings
        groups = _groups(parameters, learning_rate, settings.weight_decay, settings.embedding_bits)
        return _AdamW(groups, lr=learning_rate, betas=(settings.beta1, settings.beta2), eps=settings.eps)


class Lion8:
    """The optimizer `lion-8bit`."""

    def __init__(self, settings: Lion8Settings) -> None:
        self.settings = settings

    def build(self, parameters: Sequence[Trained], *, learning_rate: float, device: Any) -> torch.optim.Optimizer:
        settings = self.settings
        groups = _groups(parameters, learning_rate, settings.weight_decay, settings.embedding_bits)
        return _Lion(groups, lr=learning_rate, betas=(settings.beta1, settings.beta2))


def _groups(parameters: Sequence[Trained], learning_rate: float, weight_decay: float, embedding_bits: int) -> list[dict[str, Any]]:
    made = []
    for embedding, bits in ((False, 8), (True, embedding_bits)):
        these = [one for one in parameters if one.embedding is embedding]
        made += [{**group, BITS: bits} for group in parameter_groups(these, learning_rate=learning_rate, weight_decay=weight_decay)]
    return made
