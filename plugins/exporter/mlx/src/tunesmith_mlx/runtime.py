"""What a converted model expects after each token, by MLX itself, token by token as it generates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> list[Any]:
    """Of each sequence a tensor of (tokens, vocabulary) in float32.

    Args:
        ids: sequences of tokens, none longer than the model's context.
    """
    import mlx.core as mx
    import numpy
    import torch
    from mlx_lm.models.cache import make_prompt_cache
    from mlx_lm.utils import load_model

    model, _ = load_model(Path(directory))
    found = []
    for row in ids:
        cache, said = make_prompt_cache(model), []
        for token in row:
            logits = model(mx.array([[token]]), cache=cache).astype(mx.float32)
            said.append(torch.tensor(numpy.array(logits).reshape(-1)).log_softmax(-1))
        found.append(torch.stack(said))
    return found
