"""Cross-entropy on the assistant's tokens, of all answers or the last, or on all tokens.

    loss = - sum over labelled tokens t of log p(x_t | x_<t)  /  number of labelled tokens in the batch

Every token of the batch counts the same, however its rows are long and however the batch is cut: the same as TRL's and transformers'
``num_items_in_batch`` normalisation.
"""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Row, UserError
from tunesmith_sft.settings import SupervisedSettings
from tunesmith_torch.api import ChatEncoder, Group, LogProbs, LossSum


class SupervisedTuning:
    """The objective `sft`: one sequence per conversation."""

    needs_reference = False

    def __init__(self, settings: SupervisedSettings = SupervisedSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings = settings

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The conversation as one sequence.

        Raises:
            UserError: TS-DATA-033 when the assistant says nothing in it that could be learnt.
        """
        answers = [at for at, turn in enumerate(row["messages"]) if turn["role"] == "assistant"]
        since = answers[-1] if answers and self.settings.train_on == "last_assistant" else 0
        sequence = chat.encode(row["messages"], row.get("tools") or (), since=since)
        if self.settings.train_on == "all":
            labels = [at > 0 for at in range(len(sequence.tokens))]
            for medium in sequence.media:  # what stands for a picture or sound is nothing to say
                labels[medium.start : medium.stop] = [False] * (medium.stop - medium.start)
            return Group((replace(sequence, labels=labels),))
        if not any(sequence.labels):
            raise UserError(
                "TS-DATA-033", "the conversation has no answer of the assistant to learn from",
                fix="Give the row a message of the role `assistant`, or leave it out.",
            )  # fmt: skip
        return Group((sequence,))

    def weight(self, group: Group) -> float:
        """The labelled tokens."""
        return float(sum(group.sequences[0].labels))

    def loss(self, batch: LogProbs) -> LossSum:
        """Minus the log-likelihood, summed over the labelled tokens."""
        return LossSum(-batch.policy.sum())
