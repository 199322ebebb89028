"""The contrastive loss InfoNCE (van den Oord et al., arXiv:1807.03748) with in-batch and hard negatives (arXiv:2004.04906).

Row i has an anchor a_i, its positive d_i, and perhaps negatives. Of all texts D of the batch, positives and negatives of every row, the
anchor's own is to be the nearest:

    loss = mean over rows i of  - log  exp(cos(a_i, d_i) / T) / sum over d in D of exp(cos(a_i, d) / T)

The batch is a step's: all micro-batches of all processes. Each micro-batch computes the whole sum with its own embeddings alive and
those of the others as numbers; the gradients of all micro-batches add up to those of the whole. With `matryoshka_dims` the loss is the
mean over beginnings of the embeddings (Kusupati et al., arXiv:2205.13147).
"""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Row
from tunesmith_embed.asks import asks, check_sizes
from tunesmith_embed.settings import EmbedSettings
from tunesmith_torch.api import ChatEncoder, Group, LossSum, MicroBatch
from tunesmith_torch.api.scoring import embedded_sequence


class Embedding:
    """The objective `embed`: a row's sequences are its anchor, its positive and its negatives."""

    def __init__(self, settings: EmbedSettings = EmbedSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The texts as the tokenizer writes them.

        Raises:
            UserError: TS-DATA-020 for an anchor or a positive without text.
        """
        for name in ("anchor", "positive"):
            if not row[name].strip():
                raise UserError("TS-DATA-020", f"`{name}` is empty", why="There is no text to compare.", fix="Remove the row.")
        negatives = [text for text in row.get("negatives") or () if text.strip()][: self.settings.hard_negatives]
        documents = [self.settings.document_prompt + text for text in (row["positive"], *negatives)]
        texts = (self.settings.query_prompt + row["anchor"], *documents)
        return Group(tuple(embedded_sequence(chat, text, self.settings.pooling) for text in texts))

    def weight(self, group: Group) -> float:
        """A row counts as one."""
        return 1.0

    def gather(self, batch: MicroBatch) -> Any:
        """Of each row how many texts it compares, and their embeddings one after the other, zeros for those that it has not."""
        states = batch.hidden.new_zeros((len(batch.groups), self.asks.statistic_states, batch.hidden.shape[1]))
        states = states.index_put(_seats(batch, range(len(batch.groups)), batch.hidden.device), self._pooled(batch))
        counts = states.new_tensor([len(group.sequences) for group in batch.groups])
        return _joined(counts, states).detach()

    def loss(self, batch: MicroBatch) -> LossSum:
        """Of the whole batch, with gradients of this micro-batch's texts; what is reported is of its rows alone."""
        import torch
        from torch.nn.functional import normalize

        hidden = batch.hidden
        counts, states = batch.statistics[:, 0], batch.statistics[:, 1:].unflatten(1, (self.asks.statistic_states, -1)).to(hidden.dtype)
        states = states.index_put(_seats(batch, batch.own, hidden.device), self._pooled(batch))
        absent = (torch.arange(1, states.shape[1], device=hidden.device) >= counts[:, None]).flatten()
        positives = torch.arange(len(states), device=hidden.device) * (states.shape[1] - 1)
        own = torch.tensor(list(batch.own), device=hidden.device)
        losses, nearest, alike = [], None, None
        for size in self._sizes(states.shape[2]):
            unit = normalize(states[..., :size], dim=-1)
            similar = unit[:, 0] @ unit[:, 1:].flatten(0, 1).T
            logits = (similar / self.settings.temperature).masked_fill(absent, float("-inf"))
            losses.append(torch.nn.functional.cross_entropy(logits, positives, reduction="none"))
            if nearest is None:
                nearest, alike = logits.argmax(1) == positives, similar.gather(1, positives[:, None])[:, 0]
        every = torch.stack(losses).mean(0)
        metrics = {"accuracy": nearest[own].sum(), "similarity/positive": alike[own].sum()}
        return LossSum(every.sum(), metrics, every[own].sum().detach())

    def formula(self, batch: MicroBatch) -> Any:
        """Row by row, each against every text of the batch."""
        import torch

        embeddings = list(self._pooled(batch))
        rows = [[embeddings.pop(0) for _ in group.sequences] for group in batch.groups]
        documents = [text for _, *texts in rows for text in texts]
        lost = []
        for size in self._sizes(batch.hidden.shape[1]):
            for anchor, positive, *_ in rows:
                near, *others = (
                    torch.dot(anchor[:size], text[:size]) / (anchor[:size].norm() * text[:size].norm()) / self.settings.temperature
                    for text in (positive, *documents)
                )
                lost.append(torch.stack(others).exp().sum().log() - near)
        return sum(lost) / len(lost)

    def _pooled(self, batch: MicroBatch) -> Any:
        """(sequences, hidden): a text's embedding."""
        import torch

        return torch.stack([states.mean(0) for states in batch.hidden.split(list(batch.places))])

    def _sizes(self, hidden: int) -> list[int]:
        """Numbers of the embeddings that are compared, all of them first."""
        check_sizes(self.settings.matryoshka_dims, hidden)
        return [hidden, *self.settings.matryoshka_dims]


def _seats(batch: MicroBatch, rows: Any, device: Any) -> tuple[Any, Any]:
    """Of each sequence, which row it is of, and which text of it."""
    import torch

    seats = [(row, number) for row, group in zip(rows, batch.groups, strict=True) for number in range(len(group.sequences))]
    return torch.tensor([row for row, _ in seats], device=device), torch.tensor([number for _, number in seats], device=device)


def _joined(counts: Any, states: Any) -> Any:
    import torch

    return torch.cat([counts[:, None], states.flatten(1)], dim=1)
