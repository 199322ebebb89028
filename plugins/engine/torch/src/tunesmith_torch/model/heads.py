"""Heads that train with an objective: linear layers in float32 on the last hidden states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from tunesmith_torch.api import Head

STD = 0.02  # of a new head's weights, where the model's configuration has no `initializer_range`


class Heads(torch.nn.ModuleDict):
    """By name."""

    @classmethod
    def new(cls, heads: Iterable[Head], model: Any, seed: int) -> Heads:
        """Drawn as transformers draws those of its classifiers: from a normal distribution, biases of 0; zeros where one asks for them."""
        config = model.config.get_text_config()
        std = float(getattr(config, "initializer_range", None) or STD)
        device = model.get_input_embeddings().weight.device
        made = {}
        for head in heads:
            linear = torch.nn.Linear(config.hidden_size, head.width, bias=head.bias, device="meta")
            made[head.name] = linear.to_empty(device=device)
            if device.type != "meta":
                generator = torch.Generator().manual_seed(seed)
                drawn = torch.randn(head.width, config.hidden_size, generator=generator) * (0.0 if head.zeros else std)
                linear.weight.data.copy_(drawn)
                if head.bias:
                    torch.nn.init.zeros_(linear.bias)
        return cls(made)

    def forward(self, name: str, hidden: torch.Tensor) -> torch.Tensor:
        """(places, width) float32 of (places, hidden)."""
        with torch.autocast(hidden.device.type, enabled=False):
            return self[name](hidden.float())

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Saved ones in their place, by the names of `state_dict`."""
        self.load_state_dict(dict(weights))
