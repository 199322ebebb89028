"""Kahneman-Tversky optimisation (Ethayarajh et al., arXiv:2402.01306, equations 7 and 8): answers that are good or bad, without pairs.

With r(y) = log p(y | x) - log p_ref(y | x), s the logistic function and z a baseline, an answer's loss is

    good    desirable_weight (1 - s(beta (r - z)))
    bad     undesirable_weight (1 - s(beta (z - r)))

averaged over the rows. z = max(0, mean of r over answers to other prompts), of the whole batch and without a gradient: how far the model is
from the reference. ``apo_zero_unpaired`` (D'Oosterlinck et al., arXiv:2408.06266, equation 7, without pairs) has z = 0.

``bco`` (Jung et al., arXiv:2404.04656, equation 9) is a classifier of good and bad answers, with d the mean of beta r over all answers of
all batches so far, and again without a gradient:

    good    desirable_weight (-log s(beta r - d))
    bad     undesirable_weight (-log s(d - beta r))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith_data.api import Row
from tunesmith_kto.asks import asks
from tunesmith_kto.class_balance import weights_told
from tunesmith_kto.settings import UtilitySettings
from tunesmith_pairs import encode_answer, signs, token_metrics
from tunesmith_torch.api import ChatEncoder, Group, LossSum, Mean, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

MEAN, COUNT = "reward_mean", "reward_count"  #: the state of ``bco``


class KahnemanTversky:
    """The objective `kto`: one sequence a row, and beside it the next row's answer to the same prompt, which is only measured."""

    def __init__(self, settings: UtilitySettings) -> None:
        self.settings, self.asks = settings, asks(settings)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The row by itself, which is measured by its own answer.

        Raises:
            UserError: TS-DATA-037 when the answer has nothing of the assistant's.
        """
        return self.encode_with(row, row, chat)

    def encode_with(self, row: Row, other: Row, chat: ChatEncoder) -> Group:
        """
        Raises:
            UserError: TS-DATA-037 when an answer has nothing of the assistant's.
        """
        prompt, tools = list(row["messages"]), row.get("tools") or ()
        own = encode_answer(prompt, row["answer"], tools, chat, "the answer", "`answer`")
        measured = ()
        if self.asks.measured:
            measured = (encode_answer(prompt, other["answer"], tools, chat, "the answer of the next row", "its `answer`"),)
        return Group((own,), {"label": bool(row["label"])}, measured)

    def read_facts(self, facts: Iterable[Mapping[str, Any]]) -> Sequence[str]:
        """
        Raises:
            UserError: TS-DATA-081 when all answers are of one kind.
        """
        told = weights_told(facts, self.settings)
        return () if self.settings.loss_type == "bco" else told  # its paper knows no such weights

    def weight(self, group: Group) -> float:
        return 1.0

    def loss(self, batch: MicroBatch) -> LossSum:
        """Summed over the rows."""
        import torch
        from torch.nn.functional import logsigmoid

        good = torch.tensor([bool(group.facts["label"]) for group in batch.groups], device=batch.policy.device)
        ratio, classifies = _ratios(batch), self.settings.loss_type == "bco"
        if classifies:
            baseline = batch.state[MEAN].to(ratio) / self.settings.beta
        else:
            baseline = batch.statistics[:, 0].mean().clamp(min=0) if self.asks.statistics else ratio.new_zeros(())
        sign = torch.where(good, 1.0, -1.0).to(ratio.dtype)
        gain = self.settings.beta * sign * (ratio - baseline)
        weights = torch.where(good, self.settings.desirable_weight, self.settings.undesirable_weight).to(ratio.dtype)
        losses = -logsigmoid(gain) if classifies else torch.sigmoid(-gain)
        metrics = self._metrics(batch, good, ratio.detach(), gain.detach(), baseline)
        return LossSum((weights * losses).sum(), metrics, rows=weights * losses)

    def formula(self, batch: MicroBatch) -> Tensor:
        """Row by row: what an answer is worth to somebody who minds losses, taken from all that it could be worth."""
        import torch

        far = sum(batch.statistics[:, 0].tolist()) / len(batch.statistics) if self.settings.loss_type == "kto" else 0.0
        weight = {True: self.settings.desirable_weight, False: self.settings.undesirable_weight}
        rows, used = [], 0
        for group, length in zip(batch.groups, batch.lengths, strict=True):
            tokens, label = slice(used, used + length), bool(group.facts["label"])
            likelier = (batch.policy[tokens] - batch.reference[tokens]).sum()
            used += length
            if self.settings.loss_type == "bco":
                reward = self.settings.beta * likelier - float(batch.state[MEAN])
                rows.append(weight[label] * torch.log1p(torch.exp(-reward if label else reward)))
                continue
            likelier = likelier - max(0.0, far)
            odds = torch.exp(self.settings.beta * (likelier if label else -likelier))
            rows.append(weight[label] - weight[label] * odds / (1 + odds))
        return torch.stack(rows).mean()

    def gather(self, batch: MicroBatch) -> Tensor:
        """(rows, 1): how much likelier than by the reference the answer is: with ``bco`` the row's own, else that to another prompt."""
        return _ratios(batch).detach()[:, None]

    def initial_state(self) -> Mapping[str, Tensor]:
        """The mean of all rewards so far, and of how many; nothing but with ``bco``."""
        import torch

        return {MEAN: torch.zeros(()), COUNT: torch.zeros(())} if self.settings.loss_type == "bco" else {}

    def next_state(self, state: Mapping[str, Tensor], statistics: Tensor) -> Mapping[str, Tensor]:
        if not state:
            return state
        rewards = self.settings.beta * statistics[:, 0]
        before, count = (state[name].to(rewards.device) for name in (MEAN, COUNT))
        return {MEAN: before + (rewards.mean() - before) * len(rewards) / (count + len(rewards)), COUNT: count + len(rewards)}

    def warnings(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        return signs(history)

    def _metrics(self, batch: MicroBatch, good: Tensor, ratio: Tensor, gain: Tensor, baseline: Tensor) -> dict[str, Tensor | Mean]:
        log_probs, tokens = _sums(batch.policy.detach(), batch.lengths), ratio.new_tensor(batch.lengths)
        found: dict[str, Tensor | Mean] = {"rewards/accuracy": (gain > 0).sum(), "baseline": baseline * len(batch.groups)}
        for side, chosen in (("chosen", good), ("rejected", ~good)):
            for name, values in (("rewards", self.settings.beta * ratio), ("logps", log_probs), ("length", tokens)):
                found[f"{name}/{side}"] = Mean((values * chosen).sum(), chosen.sum())
        return found | token_metrics(batch)


def _sums(values: Tensor, lengths: Sequence[int]) -> Tensor:
    """(sequences,)"""
    import torch

    return torch.stack([own.sum() for own in values.split(list(lengths))])


def _ratios(batch: MicroBatch) -> Tensor:
    """(rows,) log p - log p_ref of each sequence."""
    return _sums(batch.policy - batch.reference, batch.lengths)
