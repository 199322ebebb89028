"""How much each column of a model's matrices counts: the mean square of what they read on rows (llama.cpp's importance matrix)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from tunesmith.contracts import Step
from tunesmith_models.weight_check import load_whole


@torch.no_grad()
def importance(directory: Path, sequences: Sequence[Sequence[int]], step: Step) -> Mapping[str, np.ndarray]:
    """The model's name of each linear layer's weight -> (columns,) in float32.

    Args:
        sequences: of tokens.
    """
    model = load_whole(transformers.AutoModelForCausalLM.from_pretrained, directory, dtype=torch.float32).eval()
    squares: dict[str, torch.Tensor] = {}

    def note(name: str) -> Any:
        def hook(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            read = given[0].detach().reshape(-1, given[0].shape[-1]).float()
            squares[name] = squares.get(name, 0) + read.square().sum(0).double()

        return hook

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings():
            module.register_forward_pre_hook(note(f"{name}.weight"))
    for at, tokens in enumerate(sequences):
        step.check_cancelled()
        model(torch.tensor([list(tokens)]), use_cache=False)
        step.progress(at + 1, len(sequences), what="importance of columns", unit="sequences")
    count = sum(map(len, sequences))
    return {name: (found / count).float().numpy() for name, found in squares.items()}
