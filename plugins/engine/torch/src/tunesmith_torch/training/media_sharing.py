"""Whether a model takes images and sounds of a common beginning once: found out by trying it on a row, before training."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import torch

from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.data.packing import pack
from tunesmith_torch.model.architecture import architecture, note_media_sharing, states
from tunesmith_torch.training.trainable_model import TrainableModel, autocast

ROWS = 1000  # that are looked through for one with media
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 4e-2}  # of the largest hidden state


def try_media_sharing(trainable: TrainableModel, groups: Iterable[Group], device: torch.device) -> tuple[str, str] | None:
    """Compute what follows a row's media in two ways, with two endings: with what comes before once for both, and for each. Where both come
    to the same, it is done so from now on.

    Returns:
        The decision; None where no row has media.
    """
    twins = next((found for group in islice(groups, ROWS) for sequence in group.sequences if (found := _twins(sequence))), None)
    if twins is None or trainable.inputs_of is None or device.type == "meta":
        return None
    shares = trainable.packed and all(_agree(trainable, model, twins, device) for model in trainable.models)
    for model in trainable.models:
        note_media_sharing(model, shares=shares)
    if shares:
        return "images and sounds of a common beginning once", "tried on a row: what follows them is computed the same"
    return (
        "images and sounds for each sequence",
        f"{type(trainable.model).__name__} does not compute the same with those of a common beginning once",
    )


def _twins(sequence: TokenSequence) -> tuple[TokenSequence, TokenSequence] | None:
    """The sequence, and one with another ending behind its media; None for one without."""
    if not sequence.media:
        return None
    end = max(medium.stop for medium in sequence.media)
    head, tail = list(sequence.tokens[:end]), list(sequence.tokens[end:])
    if tail == tail[::-1]:
        return None
    labels = [False] * end + [True] * len(tail)
    return tuple(TokenSequence([*head, *ending], labels, sequence.media) for ending in (tail, tail[::-1]))  # type: ignore[return-value]


@torch.no_grad()
def _agree(trainable: TrainableModel, model: Any, twins: tuple[TokenSequence, ...], device: torch.device) -> bool:
    was_training = model.training
    model.eval()
    try:
        with autocast(device, trainable.compute):
            once, each = (
                states(
                    model, pack(twins, device, share_media=share, inputs_of=trainable.inputs_of, shared=2), architecture(model)
                ).float()
                for share in (True, False)
            )  # fmt: skip
    except (TypeError, AttributeError, ValueError, RuntimeError, IndexError):  # as for the model's attention: it can't be told
        return False
    finally:
        model.train(was_training)
    return bool((once - each).abs().max() <= TOLERANCE[trainable.compute] * each.abs().max())
