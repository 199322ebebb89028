"""A good minimal objective: the likelihood of the answers."""

from tunesmith.contracts import UserError
from tunesmith_torch.api import Asks, Group, LossSum


class Provider:
    asks = Asks()

    def encode(self, row, chat):
        if not row["messages"] or row["messages"][-1]["role"] != "assistant":
            raise UserError("TS-DATA-004", "the row has no answer", fix="Give it one.")
        return Group((chat.encode(row["messages"]),))

    def weight(self, group):
        return float(sum(sum(sequence.labels) for sequence in group.sequences))

    def loss(self, batch):
        return LossSum(-batch.policy.sum())

    def formula(self, batch):
        return -(batch.policy / sum(batch.lengths)).sum()
