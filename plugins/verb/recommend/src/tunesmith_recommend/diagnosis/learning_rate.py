"""Whether the learning rate was too high or too low, or nothing was learned at all."""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith_recommend.diagnosis.curve import FEWEST
from tunesmith_recommend.diagnosis.finding import Finding, rules
from tunesmith_recommend.diagnosis.training import EPOCHS, RATE, Training


def diverged(one: Training) -> Iterator[Finding]:
    rule = rules()["rate.diverged"]
    if one.error and one.error.get("code") == rule["code"]:
        rate = _lower(one, rule["times"])
        told = [str(one.error.get("what", "")), *_rates(one)]
        yield Finding.of(
            rule, one.step, "the training came apart: the learning rate is too high, or a row is broken", *told,
            fix=f"Try a learning rate of {rate:g}.", command=one.command(**{RATE: rate}),
        )  # fmt: skip


def too_high(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["rate.too-high"], one.loss
    if len(curve) < FEWEST:
        return
    step, low = curve.lowest
    above = max(abs(low) * rule["rise"], rule["spread"] * curve.noise / curve.width**0.5)
    if curve.last > min(low, curve.first) + above:
        rate = _lower(one, rule["times"])
        yield Finding.of(
            rule, one.step, "the learning rate is too high",
            f"the training loss was {low:.4g} around step {step} and {curve.last:.4g} at the end (it began at {curve.first:.4g})",
            *_rates(one),
            fix=f"Try a learning rate of {rate:g}.", command=one.command(**{RATE: rate}),
        )  # fmt: skip


def too_low(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["rate.too-low"], one.loss
    if len(curve) < FEWEST or not one.usual_rate or one.rate > one.usual_rate * rule["share"]:
        return
    fallen = curve.first - curve.last
    if fallen < abs(curve.first) * rule["fall"] and curve.trend() < rule["trend"]:
        rate = min(_scaled(one, rule["times"]), one.usual_rate)
        yield Finding.of(
            rule, one.step, "the learning rate is too low",
            f"the training loss fell steadily and came from {curve.first:.4g} to {curve.last:.4g} only",
            *_rates(one),
            fix=f"Try a learning rate of {rate:g}.", command=one.command(**{RATE: rate}),
        )  # fmt: skip


def nothing_learned(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["steps.nothing-learned"], one.loss
    if len(curve) < FEWEST or curve.points[-1][0] < rule["least"]:
        return
    still = bool(one.gradients) and not any(one.gradients)
    near = abs(curve.first - curve.last) < abs(curve.first) * rule["change"] and abs(curve.trend()) < rule["trend"]
    if not (still or near):
        return
    told = [f"the training loss was {curve.first:.4g} at the beginning and {curve.last:.4g} at the end of {curve.points[-1][0]} steps"]
    if still:
        yield Finding.of(
            rule, one.step, "nothing was learned: no gradient was there", *told, "the gradient's norm was 0 in every step",
            fix="Look at what is trained on: `tunesmith data preview` shows the labels of the rows.", command=one.preview(),
        )  # fmt: skip
        return
    told += _rates(one)
    if 0 < one.usual_rate <= one.rate:
        epochs = 2 * float(one.settings.get(EPOCHS) or 1)
        yield Finding.of(
            rule, one.step, "nothing was learned", *told,
            fix=f"The rate is not low: train longer (`{EPOCHS}: {epochs:g}`), and look at whether the rows teach one thing.",
            command=one.command(**{EPOCHS: epochs}),
        )  # fmt: skip
        return
    rate = one.usual_rate or _scaled(one, rule["times"])
    yield Finding.of(
        rule, one.step, "nothing was learned", *told,
        fix=f"Try a learning rate of {rate:g}.", command=one.command(**{RATE: rate}),
    )  # fmt: skip


def _scaled(one: Training, times: float) -> float:
    return float(f"{one.rate * times:.1g}")


def _lower(one: Training, times: float) -> float:
    """A share of it; what the adapter takes by itself where even that share is far above."""
    scaled = _scaled(one, times)
    return one.usual_rate if 0 < one.usual_rate < scaled * times else scaled


def _rates(one: Training) -> list[str]:
    usual = [f"{one.usual_rate:g} is what its adapter takes by itself"] if one.usual_rate else []
    return [f"the learning rate was {one.rate:g}", *usual]
