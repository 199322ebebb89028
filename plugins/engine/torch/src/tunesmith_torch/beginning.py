"""A start that the data suggests: an adapter that wants it sees some of the training data before the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from tunesmith.contracts import Adapter, BeginsFromData, Group, Step
from tunesmith_torch.batches import Order, cut
from tunesmith_torch.packed import Packed, pack, size
from tunesmith_torch.policy import Policy


def begin(
    adapter: Adapter, policy: Policy, groups: Sequence[Group], order: Order, device: torch.device, *, micro_tokens: int, step: Step
) -> None:  # fmt: skip
    """Show an adapter that begins from data the first epoch, in the order it will learn from it.

    It is done again when a run resumes, before the checkpoint is read: what begins so may change shapes. Every rank sees the same data and
    so begins the same.
    """
    if not isinstance(adapter, BeginsFromData):
        return
    training = policy.model.training
    policy.model.eval()
    with torch.no_grad():
        adapter.begin(policy.model, passes(policy, groups, order, device, micro_tokens=micro_tokens, step=step))
    policy.model.train(training)


def passes(
    policy: Policy, groups: Sequence[Group], order: Order, device: torch.device, *, micro_tokens: int, step: Step
) -> Iterator[Callable[[], None]]:  # fmt: skip
    """The micro-batches of the first epoch, each a call. Nothing is shared between sequences, so that each token counts as often as it is
    there."""
    for number in range(order.per_epoch):
        chosen = order.batch(number)
        for micro in cut([sum(size(sequence) for sequence in groups[i].sequences) for i in chosen], micro_tokens):
            sequences = (sequence for i in micro for sequence in groups[chosen[i]].sequences)
            batch = pack(sequences, device, share=False, inputs_of=policy.inputs_of)

            def run(batch: Packed = batch) -> None:
                step.check_cancelled()
                policy(batch)

            yield run
