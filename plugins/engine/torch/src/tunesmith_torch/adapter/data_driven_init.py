"""A start that the data suggests: an adapter that wants it sees some of the training data before the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from tunesmith.contracts import Adapter, BeginsFromData, Step, UserError
from tunesmith_torch.api import Group
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.micro_batch import cut
from tunesmith_torch.data.packing import Packed, pack, size

if TYPE_CHECKING:
    from tunesmith_torch.training.trainable_model import TrainableModel


def begin_from_data(
    adapter: Adapter, trainable: TrainableModel, groups: Sequence[Group], sampler: BatchSampler, device: torch.device, *,
    max_tokens: int, step: Step,
) -> None:  # fmt: skip
    """Show an adapter that begins from data the first epoch, in the order it will learn from it.

    It is done again when a run resumes, before the checkpoint is read: what begins so may change shapes. Every rank sees the same data and
    so begins the same.
    """
    if not isinstance(adapter, BeginsFromData):
        return
    training = trainable.model.training
    trainable.model.eval()
    with torch.no_grad():
        adapter.begin(trainable.model, passes(trainable, groups, sampler, device, max_tokens=max_tokens, step=step))
    trainable.model.train(training)


def passes(
    trainable: TrainableModel, groups: Sequence[Group], sampler: BatchSampler, device: torch.device, *,
    max_tokens: int, step: Step,
) -> Iterator[Callable[[], None]]:  # fmt: skip
    """The micro-batches of the first epoch, each a call. Nothing is shared between sequences, so that each token counts as often as it is
    there.

    Raises:
        UserError: TS-TRAIN-122 when the data are prompts, of which nothing is trained on before the model has answered them.
    """
    if not any(size(sequence) for sequence in groups[0].sequences):
        raise UserError(
            "TS-TRAIN-122", "The adapter begins from the data, and there is none before the model has written some",
            why="The rows are prompts: what is trained on are the model's own completions.",
            fix="Choose a start of the adapter that needs no data (LoRA: `init_lora_weights: true`).",
        )  # fmt: skip
    for number in range(sampler.per_epoch):
        chosen = sampler.batch(number)
        for micro in cut([sum(size(sequence) for sequence in groups[i].sequences) for i in chosen], max_tokens):
            sequences = (sequence for i in micro for sequence in groups[chosen[i]].sequences)
            batch = pack(sequences, device, share=False, inputs_of=trainable.inputs_of)

            def run(batch: Packed = batch) -> None:
                step.check_cancelled()
                trainable(batch)

            yield run
