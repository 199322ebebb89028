"""The adapter `adalora`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from tunesmith_adalora.schedule import phases
from tunesmith_adalora.settings import AdaloraSettings, check
from tunesmith_peft.api import NAME, PeftAdapter

_MEASURES = ("ipt", "exp_avg_ipt", "exp_avg_unc")  #: of a direction's importance, in PEFT's allocator
_RANKS = "ranks"
_UNKNOWN = 2**31  #: PEFT wants the number of steps before it is known


class Adalora(PeftAdapter):
    """W + (alpha / init_r) B diag(E) A; the entries of E that matter least are set to zero, over all layers, while training goes on.

    Zhang et al., arXiv:2303.10512. The allocation is PEFT's; it is told of each step by the engine, whose checkpoints keep what it holds.
    """

    def __init__(self, settings: AdaloraSettings) -> None:
        check(dataclasses.asdict(settings))
        options = {
            "target_r": settings.target_r, "init_r": settings.init_r, "lora_alpha": settings.lora_alpha, "deltaT": settings.deltaT,
            "beta1": settings.beta1, "beta2": settings.beta2, "orth_reg_weight": settings.orth_reg_weight,
            "lora_dropout": settings.lora_dropout, "total_step": _UNKNOWN,
        }  # fmt: skip
        super().__init__("adalora", options, targets=settings.target_modules)
        self.settings = settings

    def stepped(self, model: torch.nn.Module, done: int, total: int) -> None:
        """PEFT's `update_and_allocate`, with the schedule that `total` steps give."""
        config = self.wrapped.peft_config[NAME]
        config.total_step = total
        config.tinit, config.tfinal = phases(total, self.settings.tinit_ratio, self.settings.tfinal_ratio)
        if total - config.tfinal > 1:  # in one step nothing is learnt of what matters
            self.wrapped.base_model.update_and_allocate(done)

    def progress(self, model: torch.nn.Module) -> Mapping[str, torch.Tensor]:
        allocator = self.wrapped.base_model.rankallocator
        held = {f"{measure}/{name}": value for measure in _MEASURES for name, value in getattr(allocator, measure).items()}
        ranks = self.wrapped.peft_config[NAME].rank_pattern or {}
        return held | {f"{_RANKS}/{name}": torch.tensor(kept) for name, kept in ranks.items()}

    def load_progress(self, model: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> None:
        tuner = self.wrapped.base_model
        parameters = dict(model.named_parameters())
        tuner.rankallocator.reset_ipt()
        ranks = {}
        for entry, value in state.items():
            measure, _, name = entry.partition("/")
            if measure == _RANKS:
                ranks[name] = value.tolist()
            else:
                getattr(tuner.rankallocator, measure)[name] = value.to(parameters[name].device)
        self.wrapped.peft_config[NAME].rank_pattern = ranks or None

    def penalty(self, model: torch.nn.Module) -> torch.Tensor:
        """How far A's rows and B's columns are from being orthonormal: the weighted mean over all of ``||A A' - I||`` and ``||B' B - I||``,
        which PEFT's model adds to its loss."""
        terms = []
        for name, parameter in model.named_parameters():
            if f"lora_A.{NAME}" in name or f"lora_B.{NAME}" in name:
                products = parameter @ parameter.T if "lora_A" in name else parameter.T @ parameter
                terms.append(torch.linalg.norm(products - torch.eye(len(products), device=products.device)))
        return self.settings.orth_reg_weight * torch.stack(terms).mean()

    def save(self, model: Any, directory: Any) -> None:
        """Directions without a rank are left out, as PEFT does. Its configuration then names what is left by other names, so the one that
        training goes on with is put back."""
        config = self.wrapped.peft_config[NAME]
        ranks = config.rank_pattern
        super().save(model, directory)
        config.rank_pattern = ranks
