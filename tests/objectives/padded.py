"""Numbers of labels as TRL's trainers have them: a row for each sequence, padded at its end, and a model that gives them."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import torch

PROMPT = 2  # tokens before each answer


def padded(values: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """(sequences, PROMPT - 1 + longest), zeros where there is no label."""
    rows = [torch.cat([values.new_zeros(PROMPT - 1), own, values.new_zeros(max(lengths) - len(own))]) for own in values.split(lengths)]
    return torch.stack(rows)


def in_order(values: torch.Tensor, lengths: list[int], order: list[int]) -> tuple[torch.Tensor, list[int]]:
    """The sequences in another order."""
    pieces = values.split(lengths)
    return torch.cat([pieces[at] for at in order]), [lengths[at] for at in order]


def mask(lengths: list[int]) -> torch.Tensor:
    """(sequences, PROMPT + longest) 1 where an answer's token is."""
    rows = [[0] * PROMPT + [1] * own + [0] * (max(lengths) - own) for own in lengths]
    return torch.tensor(rows)


class Giving(torch.nn.Module):
    """A model that gives what it was made with, whatever it is asked."""

    is_gradient_checkpointing = False

    def __init__(self, log_probs: torch.Tensor, log_sum_sq: torch.Tensor | None = None) -> None:
        super().__init__()
        zeros = torch.zeros_like(log_probs)
        self.output = SimpleNamespace(
            log_probs=log_probs, log_sum_sq_probs=log_sum_sq, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool(),
        )  # fmt: skip

    def forward(self, **_: Any) -> Any:
        return self.output


def trainer(model: Any, reference: Any = None, **more: Any) -> Any:
    """What TRL's losses read of their trainer."""
    accelerator = SimpleNamespace(device=torch.device("cpu"), gather_for_metrics=lambda value: value, gather=lambda value: value)
    return SimpleNamespace(
        model=model, ref_model=reference, accelerator=accelerator, aux_loss_enabled=False, precompute_ref_logps=False,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None, discopop_tau=more.pop("discopop_tau", 0.05)),
        _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1, **more,
    )  # fmt: skip
