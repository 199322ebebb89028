"""Running out of memory in a forward or backward pass, told so that it can be fixed."""

from __future__ import annotations

import torch

from tunesmith.contracts import TunesmithError

#: What allocators say; theirs are plain RuntimeErrors.
_SIGNS = ("out of memory", "can't allocate memory", "Cannot allocate memory", "not enough memory", "bad_alloc", "unable to mmap")


def raise_if_out_of_memory(error: Exception, groups: int, tokens: int) -> None:
    """For what the computation of one micro-batch of `tokens` tokens has raised.

    Raises:
        TunesmithError: where memory is out: TS-TRAIN-013 for a micro-batch of several groups, TS-TRAIN-014 for one that can't be cut.
    """
    if _out(error):
        raise (unfit(tokens) if groups > 1 else unfit_row(tokens)) from error


def _out(error: Exception) -> bool:
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(sign in str(error) for sign in _SIGNS)


def unfit(tokens: int) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-013", f"A forward pass of {tokens} tokens does not fit in memory",
        fix=f"Set `max_tokens_per_microbatch: {tokens // 2}`: the batch stays what it is, and so does the loss.", facts={"tokens": tokens},
    )  # fmt: skip


def unfit_row(tokens: int) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-014", f"A single row of {tokens} tokens does not fit in memory",
        why="A row is computed as a whole: it can't be spread over several forward passes.",
        fix=f"Set `gradient_checkpointing: true`, or a `max_length` below {tokens}; `tunesmith data preview` shows how long rows are.",
        facts={"tokens": tokens},
    )  # fmt: skip
