"""The losses of a pair by name, each a function of `PairValues` to (pairs,) numbers.

With r = log p(y|x) - log p_ref(y|x), c of the chosen answer and r of the rejected one, f their scores, m = beta (f_c - f_r) the margin,
e the label smoothing and s the logistic function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tunesmith_dpo.pair_values import PairValues
from tunesmith_dpo.settings import PreferenceSettings

if TYPE_CHECKING:
    from torch import Tensor


def smoothed(margin: Tensor, wrong: float) -> Tensor:
    """-(1 - e) log s(m) - e log s(-m)."""
    from torch.nn.functional import logsigmoid

    return -(1 - wrong) * logsigmoid(margin) - wrong * logsigmoid(-margin)


def margin(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    return settings.beta * pairs.scores.difference


def per_token(pairs: PairValues) -> Tensor:
    """f_c / tokens of c - f_r / tokens of r."""
    return pairs.scores.chosen / pairs.counts.chosen - pairs.scores.rejected / pairs.counts.rejected


def sigmoid(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Rafailov et al., arXiv:2305.18290, equation 7; smoothed as conservative DPO is (Mitchell 2023)."""
    return smoothed(margin(pairs, settings), settings.label_smoothing)


def hinge(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """max(0, 1 - m): SLiC-HF, arXiv:2305.10425, with the implicit rewards of RSO, arXiv:2309.06657."""
    return (1 - margin(pairs, settings)).relu()


def ipo(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Azar et al., arXiv:2310.12036, equation 17, of means over tokens, as its authors computed it."""
    return (per_token(pairs) - 1 / (2 * settings.beta)) ** 2


def robust(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Chowdhury et al., arXiv:2403.00409: without a bias from labels that are wrong with the probability e."""
    from torch.nn.functional import logsigmoid

    at, wrong = margin(pairs, settings), settings.label_smoothing
    return (-(1 - wrong) * logsigmoid(at) + wrong * logsigmoid(-at)) / (1 - 2 * wrong)


def exo_pair(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Ji et al., arXiv:2402.00856, equation 16: KL(model's preference || labels of which the share e is wrong)."""
    from math import log, log1p

    from torch.nn.functional import logsigmoid

    at, wrong = margin(pairs, settings), settings.label_smoothing
    return at.sigmoid() * (logsigmoid(at) - log1p(-wrong)) + (-at).sigmoid() * (logsigmoid(-at) - log(wrong))


def nca_pair(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Chen et al., arXiv:2402.05369: -log s(b c) - log s(-b c) / 2 - log s(-b r) / 2."""
    from torch.nn.functional import logsigmoid

    chosen, rejected = (settings.beta * ratio for ratio in pairs.ratios)
    return -logsigmoid(chosen) - 0.5 * logsigmoid(-chosen) - 0.5 * logsigmoid(-rejected)


def sppo_hard(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Wu et al., arXiv:2405.00675, equation 4.7, with a preference of 1 and 0."""
    chosen, rejected = pairs.ratios
    return (chosen - 0.5 / settings.beta) ** 2 + (rejected + 0.5 / settings.beta) ** 2


def apo_zero(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """D'Oosterlinck et al., arXiv:2408.06266, equation 7: the chosen one up, the rejected one down."""
    chosen, rejected = (settings.beta * ratio for ratio in pairs.ratios)
    return (-chosen).sigmoid() + rejected.sigmoid()


def apo_down(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """The same, equation 8: both down, the rejected one further."""
    chosen, rejected = (settings.beta * ratio for ratio in pairs.ratios)
    return chosen.sigmoid() + (rejected - chosen).sigmoid()


def discopop(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Lu et al., arXiv:2406.08414, equation 5: the logistic and the exponential loss, mixed by s(m / tau)."""
    from torch.nn.functional import logsigmoid

    at = margin(pairs, settings)
    mixed = at / settings.discopop_tau
    exponential = (logsigmoid(mixed) - at).exp()  # in one, because exp(-m) alone grows beyond all bounds where its share is nothing
    return -logsigmoid(at) * (-mixed).sigmoid() + exponential


def sigmoid_norm(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """The sigmoid loss of means over tokens: Lambert et al., arXiv:2411.15124 (Tulu 3), section 5.1."""
    from torch.nn.functional import logsigmoid

    return -logsigmoid(settings.beta * per_token(pairs))


def sft(pairs: PairValues, settings: PreferenceSettings) -> Tensor:
    """Minus the log-likelihood of a token of the chosen answer: RPO, Pang et al., arXiv:2404.19733, equation 1."""
    return -pairs.mean.chosen


BY_NAME: dict[str, Callable[[PairValues, PreferenceSettings], Tensor]] = {
    "sigmoid": sigmoid, "hinge": hinge, "ipo": ipo, "robust": robust, "exo_pair": exo_pair, "nca_pair": nca_pair, "sppo_hard": sppo_hard,
    "apo_zero": apo_zero, "apo_down": apo_down, "discopop": discopop, "sigmoid_norm": sigmoid_norm, "sft": sft,
}  # fmt: skip
