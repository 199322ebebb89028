"""Before a model is served: does it give, batched, what it gives alone?

Models may compute attention in ways of their own (position biases, recurrent layers, state between layers), of which some would go wrong
silently in a flat batch. Reading a few tokens both ways finds out, for every architecture there will ever be.
"""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_transformers.model.forward_pass import Chunk, Forward
from tunesmith_transformers.model.loader import unbatchable

LENGTH = 12


def check(model: Any, forward: Forward) -> None:
    """Compare two interleaved sequences, read in two chunks and token by token, with the model's own eager attention.

    Leaves the cache's layers in place, so that `RowCache.bytes_per_token` is known.

    Raises:
        UserError: TS-SERVE-003 if the probabilities differ by more than the dtype explains.
    """
    size = min(model.get_input_embeddings().num_embeddings, 1000)
    pair = [[(step * i + 3) % size for i in range(LENGTH)] for step in (7, 11)]
    try:
        with torch.inference_mode():
            forward.attend("eager")
            alone = torch.stack([model(torch.tensor([ids], device=model.device), use_cache=False).logits[0] for ids in pair])
            forward.attend(forward.attention.name)
            together = _together(pair, forward)
    except (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        raise unbatchable(model.config, f"a forward pass over two sequences failed with {type(error).__name__}: {error}") from error
    if not forward.cache.layers:
        raise unbatchable(model.config, "its attention does not come from transformers' AttentionInterface")
    if "sliding_attention" in (getattr(model.config.get_text_config(), "layer_types", None) or ()) and not forward.attention.windows:
        raise unbatchable(model.config, "it does not tell attention the size of its sliding window")
    compare(model, alone, together)


def compare(model: Any, alone: torch.Tensor, together: torch.Tensor, of: str = "") -> None:
    """Of logits in the same places, by the probability that moved (total variation): an unrelated context moves most of it.

    Raises:
        UserError: TS-SERVE-003 where that is more than the dtype explains.
    """
    moved = (alone.float().softmax(-1) - together.float().softmax(-1)).abs().sum(-1).mean().item() / 2
    if not moved < (0.005 if alone.dtype == torch.float32 else 0.1):
        raise unbatchable(model.config, f"in a batch it does not answer{of} as it does alone ({moved:.0%} of the probability moved)")


def _together(pair: list[list[int]], forward: Forward) -> torch.Tensor:
    """Logits ``[2, LENGTH, vocabulary]`` of both sequences read side by side."""
    first, second = LENGTH // 2, LENGTH - 3
    rows: list[list[torch.Tensor]] = [[], []]
    for start, end in ((0, first), (first, second)):
        logits = forward([Chunk(row, start, ids[start:end], range(end - start)) for row, ids in enumerate(pair)], 0, 2, LENGTH)
        for row in (0, 1):
            rows[row] += logits[row * (end - start) : (row + 1) * (end - start)].clone()
    for at in range(second, LENGTH):
        for row, logits in enumerate(forward([Chunk(row, at, [ids[at]], (0,)) for row, ids in enumerate(pair)], 2, 2, LENGTH)):
            rows[row].append(logits)
    return torch.stack([torch.stack(row) for row in rows])
