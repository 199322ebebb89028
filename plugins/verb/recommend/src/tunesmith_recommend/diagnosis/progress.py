"""Whether there were too few steps, or more than needed, or rows were learned by heart."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tunesmith_recommend.diagnosis.curve import FEWEST
from tunesmith_recommend.diagnosis.finding import Finding, rules
from tunesmith_recommend.diagnosis.training import EPOCHS, Training


def too_few_steps(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["steps.too-few"], one.loss
    steps = curve.points[-1][0] if len(curve) else 0
    if 0 < steps < rule["least"]:
        yield _more(one, f"there were {steps} optimizer steps", "too few steps to learn from")
        return
    if len(curve) < 2 * FEWEST or (len(one.validation) > 1 and one.validation.values[-1] > min(one.validation.values)):
        return
    half = curve.half()
    late, whole = half.first - half.last, curve.first - curve.last
    if whole > 0 and late > whole * rule["share"] and half.trend() < rule["trend"]:
        late = f"from {half.first:.4g} to {half.last:.4g} in the second half of {steps} steps"
        told = f"the training loss fell from {curve.first:.4g}, and {late}"
        yield _more(one, told, "it was still learning at the end: there were too few steps")


def _more(one: Training, told: str, what: str) -> Finding:
    rule = rules()["steps.too-few"]
    times = max(rule["times"], math.ceil(rule["least"] / one.loss.points[-1][0]))  # so many that the next run is no too short one again
    change: dict[str, float] = {EPOCHS: float(one.settings.get(EPOCHS) or 1) * times}
    if one.settings.get("max_steps"):
        change = {"max_steps": int(one.settings["max_steps"] * times)}
    (name, value), *_ = change.items()
    return Finding.of(rule, one.step, what, told, fix=f"Train on: `{name}: {value:g}`.", command=one.command(**change))


def plateau(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["steps.plateau"], one.loss
    half = curve.half()
    if len(half) < FEWEST or curve.first - curve.last < abs(curve.first) * rule["fallen"]:
        return
    if abs(half.first - half.last) < abs(half.first) * rule["change"] and abs(half.trend()) < rule["trend"]:
        epochs = float(f"{float(one.settings.get(EPOCHS) or 1) / 2:.2g}")
        yield Finding.of(
            rule, one.step, f"the second half of the steps changed nothing: a plateau since about step {half.points[0][0]}",
            f"the training loss was {half.first:.4g} there and {half.last:.4g} at the end, after {curve.first:.4g} at the beginning",
            fix=f"Half of the steps would have done: `{EPOCHS}: {epochs:g}`; for a lower loss, take more of the model "
            "(a higher rank, another adapter) or a larger one.",
            command=one.command(**{EPOCHS: epochs}),
        )  # fmt: skip


def overfit(one: Training) -> Iterator[Finding]:
    rule, curve = rules()["overfit"], one.validation
    if len(curve) < 2 or not len(one.loss) or one.loss.points[-1][0] < rules()["steps.too-few"]["least"]:
        return  # so few steps are no evidence
    best, step = min((value, at) for at, value in curve.points)
    after = [value for at, value in one.loss.points if at > step]
    before = [value for at, value in one.loss.points if at <= step]
    last = curve.values[-1]
    if last <= best + abs(best) * rule["rise"] or not after or not before or sum(after) / len(after) >= sum(before) / len(before):
        return
    kept = bool(one.settings.get("load_best_model_at_end"))
    wanted = {"load_best_model_at_end": True, "early_stopping_patience": 2}
    change = {name: value for name, value in wanted.items() if not one.settings.get(name)}
    yield Finding.of(
        rule, one.step, f"overfit from step {step}",
        f"the loss of the rows held out was least after step {step}: {best:.4g}; at the end it was {last:.4g}",
        f"that of the rows trained on fell meanwhile, from {sum(before) / len(before):.4g} to {sum(after) / len(after):.4g} on average",
        *(["the parameters of that step are the ones that were kept"] if kept else []),
        fix="Stop there and keep those parameters; more rows, fewer epochs or a smaller adapter learn less by heart."
        if change else "More rows, fewer epochs or a smaller adapter learn less by heart.",
        command=one.command(**change) if change else "",
    )  # fmt: skip
