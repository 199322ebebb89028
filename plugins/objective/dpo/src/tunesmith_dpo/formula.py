"""The losses of `dpo` once more, as a mean over a whole batch, pair by pair, in other words than `losses`.

What training computed is held against it. It uses no code of the losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import MicroBatch

if TYPE_CHECKING:
    from torch import Tensor


class Answer(NamedTuple):
    """Scalars of one answer.

    Args:
        ratio: log p - log p_ref. mean: log p of a token. certainty: see WPO.
    """

    ratio: Tensor
    log_p: Tensor
    before: Tensor
    mean: Tensor
    tokens: int
    certainty: Tensor | None


def formula(batch: MicroBatch, settings: PreferenceSettings) -> Tensor:
    """The mean of all pairs' weighted sums of losses."""
    import torch

    answers = list(_answers(batch, settings))
    pairs = list(zip(answers[0::2], answers[1::2], strict=True))
    total = batch.policy.new_zeros(())
    for name, share in zip(settings.losses, settings.weights, strict=True):
        values = _of_the_batch(name, pairs, batch, settings) or [_of_a_pair(name, *pair, batch, settings) for pair in pairs]
        if settings.use_weighting:
            values = [value * c.certainty * r.certainty for value, (c, r) in zip(values, pairs, strict=True)]
        total = total + share * torch.stack(values).mean()
    return total


def _answers(batch: MicroBatch, settings: PreferenceSettings) -> Iterator[Answer]:
    used = 0
    for at, length in enumerate(batch.lengths):
        other, tokens = batch.lengths[at ^ 1], slice(used, used + length)
        shared = slice(used, used + min(length, other))  # LD-DPO: the rest of a longer answer counts less
        of = {
            name: (1 - settings.ld_alpha) * values[shared].sum() + settings.ld_alpha * values[tokens].sum()
            for name, values in (("policy", batch.policy), ("reference", batch.reference))
        }
        certainty = None
        if settings.use_weighting:
            certainty = (batch.policy[tokens].detach().sum() - batch.log_sum_sq[tokens].sum()).div(max(1, length)).exp()
        mean = batch.policy[tokens].sum() / max(1, length)
        yield Answer(of["policy"] - of["reference"], of["policy"], of["reference"], mean, max(1, length), certainty)
        used += length


def _bent(ratio: Tensor, settings: PreferenceSettings) -> Tensor:
    """f' of the ratio u of probabilities; where it would be beyond e^40, it is that."""
    u = ratio.exp()
    if settings.f_divergence_type == "forward_kl":
        return 1 - 1 / u.clamp(min=math.exp(-40))
    if settings.f_divergence_type == "js_divergence":
        return (2 * u / (1 + u)).log()
    a = settings.f_alpha_divergence_coef
    if settings.f_divergence_type == "alpha_divergence" and abs(a - 1) > 1e-6:
        return ((u ** (a - 1)).clamp(max=math.exp(40)) - 1) / (a - 1)
    return ratio


def _surprise(x: Tensor) -> Tensor:
    """-log of the logistic function, as log(1 + exp(-x))."""
    import torch

    return torch.logaddexp(torch.zeros_like(x), -x)


def _mixed(x: Tensor, wrong: float) -> Tensor:
    """The surprise at a preference whose label is wrong with this probability; surprise(-x) is surprise(x) + x."""
    return _surprise(x) + wrong * x


def _of_a_pair(name: str, chosen: Answer, rejected: Answer, batch: MicroBatch, settings: PreferenceSettings) -> Tensor:
    beta, wrong = settings.beta, settings.label_smoothing
    f_chosen, f_rejected = _bent(chosen.ratio, settings), _bent(rejected.ratio, settings)
    m = beta * f_chosen - beta * f_rejected
    by_token = f_chosen / chosen.tokens - f_rejected / rejected.tokens
    c, r = beta * chosen.ratio, beta * rejected.ratio
    terms: dict[str, Callable[[], Tensor]] = {
        "sigmoid": lambda: _mixed(m, wrong),
        "hinge": lambda: (1 - m) * (m < 1),
        "ipo": lambda: by_token**2 - by_token / beta + 1 / (4 * beta**2),
        "robust": lambda: _surprise(m) - wrong / (1 - 2 * wrong) * m,
        "exo_pair": lambda: _divergence(m, wrong),
        "nca_pair": lambda: 1.5 * _surprise(c) + 0.5 * c + 0.5 * (_surprise(r) + r),
        "bco_pair": lambda: _surprise(c - batch.state["reward_mean"]) + _surprise(batch.state["reward_mean"] - r),
        "sppo_hard": lambda: (c**2 - c + r**2 + r + 0.5) / beta**2,
        "apo_zero": lambda: 1 / (1 + c.exp()) + 1 / (1 + (-r).exp()),
        "apo_down": lambda: 1 / (1 + (-c).exp()) + 1 / (1 + (c - r).exp()),
        "discopop": lambda: (_surprise(m) * (-m / settings.discopop_tau).exp() + (-m).exp()) / (1 + (-m / settings.discopop_tau).exp()),
        "sigmoid_norm": lambda: _surprise(beta * by_token),
        "sft": lambda: -chosen.mean,
    }
    return terms[name]()


def _divergence(m: Tensor, wrong: float) -> Tensor:
    """Of the model's preference p from one that is wrong with this probability: sum of p log(p / q)."""
    p = 1 / (1 + (-m).exp())
    return p * (-_surprise(m) - math.log(1 - wrong)) + (1 - p) * (-_surprise(-m) - math.log(wrong))


def _of_the_batch(name: str, pairs: list[tuple[Answer, Answer]], batch: MicroBatch, settings: PreferenceSettings) -> list[Tensor]:
    """One number a pair for the losses that sort all pairs, by what was gathered of them; none for others."""
    if name not in ("aot", "aot_unpaired"):
        return []
    beta, wrong, gathered = settings.beta, settings.label_smoothing, batch.statistics.tolist()
    if name == "aot":
        now, before = [row[0] - row[1] for row in gathered], [row[2] - row[3] for row in gathered]
        partner = dict(zip(_order(now), _order(before), strict=True))  # pair -> the one with the same place at the reference
        return [_mixed(beta * (pairs[at][0].log_p - pairs[at][1].log_p - before[partner[at]]), wrong) for at in range(len(pairs))]
    chosen, rejected = [row[0] - row[2] for row in gathered], [row[1] - row[3] for row in gathered]
    values = []
    for one, other in zip(_order(chosen), _order(rejected), strict=True):
        up = _mixed(beta * (pairs[one][0].ratio - rejected[other]), wrong)
        down = _mixed(beta * (chosen[one] - pairs[other][1].ratio), wrong)
        values.append(up + down - down.detach())  # the value of one, the gradient of both
    return values


def _order(values: list[float]) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__)
