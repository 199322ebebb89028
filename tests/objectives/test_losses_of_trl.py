"""Each loss and its gradient are those of TRL's trainers for the same log-probabilities, to 2e-5 of float32."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from types import SimpleNamespace

import padded
import pytest
import torch

from tunesmith_cpo.objective import ContrastivePreference
from tunesmith_cpo.settings import ContrastiveSettings
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import LOSSES, PreferenceSettings
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_orpo.objective import OddsRatioPreference
from tunesmith_orpo.settings import OddsRatioSettings
from tunesmith_simpo.objective import SimplePreference
from tunesmith_simpo.settings import SimpleSettings
from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.conformance.objective import Made

pytestmark = pytest.mark.slow
TOLERANCE = 2e-5


def sequence(length: int, chance: random.Random) -> TokenSequence:
    tokens = [chance.randrange(3, 300) for _ in range(padded.PROMPT + length)]
    return TokenSequence(tokens, [False] * padded.PROMPT + [True] * length)


def pairs(count: int = 6, longest: int = 9, *, same: int = 0) -> list[Group]:
    """Pairs of answers of various lengths; `same`: all of this one."""
    chance = random.Random(3)
    return [Group(tuple(sequence(same or chance.randint(1, longest), chance) for _ in range(2))) for _ in range(count)]


def ours(objective, batch):
    """The mean loss, and its gradient of the policy's log-probabilities."""
    result, weight = objective.loss(batch), sum(map(objective.weight, batch.groups))
    (gradient,) = torch.autograd.grad(result.total / weight, batch.policy)
    return float((result.total if result.value is None else result.value).detach()) / weight, gradient


def compare(objective, batch, expected):
    found, gradient = ours(objective, batch)
    (wanted,) = torch.autograd.grad(expected, batch.policy)
    assert found == pytest.approx(float(expected.detach()), rel=TOLERANCE, abs=TOLERANCE)
    torch.testing.assert_close(gradient, wanted, rtol=0, atol=TOLERANCE * float(wanted.abs().max()))
    return found


def dpo_of_trl(settings: PreferenceSettings, batch):
    from trl.trainer.dpo_trainer import DPOTrainer

    order = [*range(0, len(batch.lengths), 2), *range(1, len(batch.lengths), 2)]
    rows = {}
    for name in ("policy", "reference", "log_sum_sq"):
        if (values := getattr(batch, name)) is not None:
            rows[name] = padded.padded(*padded.in_order(values, list(batch.lengths), order))
    completion = padded.mask([batch.lengths[at] for at in order])
    trainer = padded.trainer(
        padded.Giving(rows["policy"], rows.get("log_sum_sq")), padded.Giving(rows["reference"]), beta=settings.beta,
        loss_types=settings.losses, loss_weights=settings.weights, ld_alpha=settings.ld_alpha,
        f_divergence_type=settings.f_divergence_type, f_alpha_divergence_coef=settings.f_alpha_divergence_coef,
        label_smoothing=settings.label_smoothing, use_weighting=settings.use_weighting, discopop_tau=settings.discopop_tau,
    )  # fmt: skip
    inputs = {"input_ids": torch.ones_like(completion), "attention_mask": torch.ones_like(completion), "completion_mask": completion}
    return DPOTrainer._compute_loss(trainer, trainer.model, inputs, False)


def check_dpo(settings: PreferenceSettings, groups=None, change=lambda batch: batch):
    objective = DirectPreference(settings)
    batch = change(Made(objective, groups or pairs()).batch(dtype="float32"))
    return compare(objective, batch, dpo_of_trl(settings, batch))


def without_shift(batch):
    """TRL has `bco_pair` without the running mean of rewards."""
    return replace(batch, state={name: torch.zeros_like(value) for name, value in batch.state.items()})


SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")  # TRL's sigmoid passes over it


@pytest.mark.parametrize("loss_type", [name for name in LOSSES if name != "sft"])
@pytest.mark.parametrize("beta", [0.1, 0.7])
def test_dpo(loss_type, beta):
    smoothing = 0.2 if loss_type in SMOOTHED else 0.0
    found = check_dpo(PreferenceSettings(loss_type=loss_type, beta=beta, label_smoothing=smoothing), change=without_shift)
    assert found > 0


def test_the_losses_of_dpo_are_all_different():
    found = [check_dpo(PreferenceSettings(loss_type=name, label_smoothing=0.2 if name in SMOOTHED else 0.0), change=without_shift)
             for name in LOSSES if name != "sft"]  # fmt: skip
    assert all(abs(one - other) > 1e-3 for one, other in itertools.combinations(found, 2))


@pytest.mark.parametrize("loss_type", ["sigmoid", "hinge", "ipo", "robust", "exo_pair", "discopop", "sigmoid_norm"])
@pytest.mark.parametrize("divergence", ["forward_kl", "js_divergence", "alpha_divergence"])
def test_dpo_by_another_divergence(loss_type, divergence):
    smoothing = 0.2 if loss_type in ("robust", "exo_pair") else 0.0
    check_dpo(PreferenceSettings(loss_type=loss_type, f_divergence_type=divergence, label_smoothing=smoothing, beta=0.02))


@pytest.mark.parametrize("coefficient", [0.3, 1.0, 1.4])
def test_dpo_by_another_alpha(coefficient):
    check_dpo(PreferenceSettings(f_divergence_type="alpha_divergence", f_alpha_divergence_coef=coefficient, beta=0.02))


@pytest.mark.parametrize("loss_type", ["sigmoid", "ipo", "aot", "nca_pair"])
def test_dpo_with_a_tail_that_weighs_less(loss_type):
    plain, weighed = (check_dpo(PreferenceSettings(loss_type=loss_type, ld_alpha=alpha)) for alpha in (1.0, 0.3))
    assert plain != pytest.approx(weighed, rel=1e-3)


@pytest.mark.parametrize("loss_type", ["sigmoid", "nca_pair", "bco_pair", "sigmoid_norm"])  # TRL's fails with `hinge` (in place)
def test_dpo_weighted(loss_type):
    check_dpo(PreferenceSettings(loss_type=loss_type, use_weighting=True), change=without_shift)


def test_dpo_mixed():
    """With `sft`, of answers of one length: TRL averages over the batch's tokens, ours over each answer's."""
    mixed = PreferenceSettings(loss_type=["sigmoid", "bco_pair", "sft", "aot_unpaired"], loss_weights=[0.8, 0.2, 1.0, 0.5])
    check_dpo(mixed, pairs(same=5), change=without_shift)


def judged(labels) -> list[Group]:
    chance = random.Random(4)
    drawn = [[sequence(chance.randint(1, 9), chance) for _ in range(2)] for _ in labels]
    return [Group((own,), {"label": label}, (other,)) for label, (own, other) in zip(labels, drawn, strict=True)]


@pytest.mark.parametrize("loss_type", ["kto", "apo_zero_unpaired"])
@pytest.mark.parametrize("labels", [(True, False, False, True, False), (True, True), (False,)])
@pytest.mark.parametrize("towards", [1, -1])
def test_kto(loss_type, labels, towards):
    """With a baseline above 0, and with one that is cut there; of one kind alone, too, which a batch may have."""
    from trl.trainer.kto_trainer import KTOTrainer

    settings = UtilitySettings(loss_type=loss_type, beta=0.3, desirable_weight=1.3, undesirable_weight=0.6)
    objective = KahnemanTversky(settings)
    groups = judged(labels)
    batch = Made(objective, groups).batch(dtype="float32")
    given = torch.linspace(0.5, 2, len(groups)) * towards
    batch = replace(batch, statistics=given[:, None] if objective.asks.statistics else None)
    lengths = list(batch.lengths)
    completion = padded.mask(lengths)
    model, reference = (padded.Giving(padded.padded(values, lengths)) for values in (batch.policy, batch.reference))
    trainer = padded.trainer(
        model, reference, beta=settings.beta, loss_type=loss_type, calculate_KL=loss_type == "kto",
        desirable_weight=settings.desirable_weight, undesirable_weight=settings.undesirable_weight,
        _compute_kl_logps=lambda asked, _: given if asked is model else torch.zeros_like(given),
    )  # fmt: skip
    inputs = {"input_ids": torch.ones_like(completion), "attention_mask": torch.ones_like(completion), "completion_mask": completion,
              "label": torch.tensor(labels)}  # fmt: skip
    compare(objective, batch, KTOTrainer._compute_loss(trainer, model, inputs, False))


def reference_free(batch, average: bool):
    """Chosen and rejected sums or means, as TRL computes them of logits."""
    sums = torch.stack([own.sum() / (len(own) if average else 1) for own in batch.policy.split(list(batch.lengths))])
    return sums[0::2], sums[1::2]


def likelihood(batch):
    """Minus the mean log-probability of the chosen answers' tokens."""
    return -torch.stack([own.mean() for own in batch.policy.split(list(batch.lengths))])[0::2].mean()


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


@pytest.mark.parametrize("loss_type", ["sigmoid", "hinge", "ipo", "simpo"])
@pytest.mark.parametrize("alpha", [0.0, 0.05])
@pytest.mark.parametrize("cpo_alpha", [0.0, 0.7])
def test_cpo(loss_type, alpha, cpo_alpha):
    from trl.experimental.cpo.cpo_trainer import CPOTrainer

    smoothing = 0.1 if loss_type in ("sigmoid", "simpo") else 0.0
    gamma = 0.8 if loss_type == "simpo" else 0.5
    settings = ContrastiveSettings(
        loss_type=loss_type, beta=0.3, cpo_alpha=cpo_alpha, label_smoothing=smoothing, simpo_gamma=gamma, alphapo_alpha=alpha
    )
    objective = ContrastivePreference(settings)
    batch = Made(objective, pairs()).batch(dtype="float32")
    trainer = SimpleNamespace(alpha=alpha, loss_type=loss_type, beta=0.3, label_smoothing=smoothing, simpo_gamma=gamma,
                              accelerator=SimpleNamespace(device="cpu"))  # fmt: skip
    losses, *_ = CPOTrainer.cpo_loss(trainer, *reference_free(batch, loss_type in ("ipo", "simpo")))
    compare(objective, batch, losses.mean() + cpo_alpha * likelihood(batch))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_simpo(smoothing):
    from trl.experimental.cpo.cpo_trainer import CPOTrainer

    objective = SimplePreference(SimpleSettings(beta=2.5, simpo_gamma=1.2, label_smoothing=smoothing))
    batch = Made(objective, pairs()).batch(dtype="float32")
    trainer = SimpleNamespace(alpha=0.0, loss_type="simpo", beta=2.5, label_smoothing=smoothing, simpo_gamma=1.2,
                              accelerator=SimpleNamespace(device="cpu"))  # fmt: skip
    losses, *_ = CPOTrainer.cpo_loss(trainer, *reference_free(batch, True))
    compare(objective, batch, losses.mean())


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_orpo(beta):
    from trl.experimental.orpo.orpo_trainer import ORPOTrainer

    objective = OddsRatioPreference(OddsRatioSettings(beta=beta))
    batch = Made(objective, pairs()).batch(dtype="float32")
    trainer = SimpleNamespace(beta=beta, accelerator=SimpleNamespace(device="cpu"))
    losses, *_ = ORPOTrainer.odds_ratio_loss(trainer, *reference_free(batch, True))
    compare(objective, batch, likelihood(batch) - losses.mean())
