"""What makes the prefix: (tokens, layers * 2 * width), for each layer the keys and then the values."""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_prompt.api import Before


class Projected(torch.nn.Module):
    """A two-layer network over an embedding of each token (Li and Liang, section 4.3), drawn from `seed`."""

    def __init__(self, tokens: int, width: int, hidden: int, made: int, seed: int, device: torch.device) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedding = torch.nn.Embedding(tokens, width)
            self.transform = torch.nn.Sequential(torch.nn.Linear(width, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, made))
        self.to(device)
        self.enabled = True

    def forward(self) -> torch.Tensor:
        return self.transform(self.embedding.weight)

    def __len__(self) -> int:
        return self.embedding.num_embeddings


def noise(tokens: int, made: int, seed: int, device: torch.device) -> Before:
    return Before(torch.randn(tokens, made, generator=torch.Generator().manual_seed(seed)).to(device))


@torch.no_grad()
def activations(model: Any, tokens: int, seed: int) -> Before:
    """The keys and values that `model` has for words drawn from its vocabulary."""
    table = model.get_input_embeddings().weight
    words = torch.randint(0, len(table), (1, tokens), generator=torch.Generator().manual_seed(seed)).to(table.device)
    cache = model.base_model(input_ids=words, use_cache=True).past_key_values
    each = [part[0].transpose(0, 1).flatten(1) for layer in cache.layers for part in (layer.keys, layer.values)]
    return Before(torch.cat(each, dim=1).float())
