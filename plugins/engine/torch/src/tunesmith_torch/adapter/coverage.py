"""Which share of a model's matrices an adapter reaches, and what it leaves as it is: found by looking at the model before and after, so
that it is told of every adapter, and none need tell it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import torch

from tunesmith_torch.model.linear_layers import linears, sizes

_SHOWN = 6  # kinds of matrix in a sentence


class AdapterCoverage:
    """Made before an adapter is attached."""

    def __init__(self, model: Any) -> None:
        self._modules = set(model.modules())
        tables = [module for module in model.modules() if isinstance(module, torch.nn.Embedding)]
        ends = {id(module.weight) for module in (*tables, model.get_output_embeddings()) if module is not None}
        counts = {id(layer.weight): sizes(layer) for layer in linears(model).values()}  # in few bits there are fewer numbers than weights
        self._matrices: dict[int, tuple[str, int]] = {}
        for name, parameter in model.named_parameters():
            if (parameter.ndim > 1 or id(parameter) in counts) and id(parameter) not in ends:
                inputs, outputs = counts.get(id(parameter), (parameter.numel(), 1))
                self._matrices[id(parameter)] = (name, inputs * outputs)

    def decision(self, model: Any) -> tuple[str, str]:
        """What the adapter that is on `model` now reaches of it, and what not."""
        total = sum(size for _, size in self._matrices.values())
        missed: Counter[str] = Counter()
        reached = self._reached(model)
        for key, (name, size) in self._matrices.items():
            if key not in reached:
                missed[_kind(name)] += size
        share = 1 - sum(missed.values()) / total if total else 0.0
        if not share:
            return "the adapter reaches none of the model's matrices", "it trains something beside them"
        what = f"the adapter reaches {_percent(share)} of the parameters in the model's matrices"
        if not missed:
            return what, "embeddings and the output head are not counted"
        named = [f"{kind} ({_percent(size / total)})" for kind, size in missed.most_common(_SHOWN)]
        rest = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
        return what, f"left as they are: {', '.join(named)}{rest}"

    def _reached(self, model: Any) -> set[int]:
        """What trains itself, and what lies in a module that came with the adapter and has something that trains."""
        found = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
        for module in model.modules():
            if module not in self._modules and any(parameter.requires_grad for parameter in module.parameters()):
                found |= {id(parameter) for parameter in _of(module)}
        return found


def _of(module: Any) -> Any:
    """The parameters that a module of an adapter's changes: those that it says, or all below it."""
    said = getattr(module, "reached", None)
    return module.parameters() if said is None else said


def _kind(name: str) -> str:
    """A matrix's name without what says in which layer it is: `mlp.experts.down_proj`."""
    return re.sub(r"^.*?\.\d+\.", "", name).removesuffix(".weight")


def _percent(share: float) -> str:
    """Never rounded to all or nothing."""
    if 0 < share < 0.001 or 0.999 < share < 1:
        return "under 0.1 %" if share < 0.5 else "over 99.9 %"
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")
