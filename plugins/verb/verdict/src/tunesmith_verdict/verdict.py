"""The verb `verdict`: is a model better than its base at its task, beyond chance, and has it lost nothing elsewhere, beyond chance?

Both are told from rows that both models were asked: a difference counts where its 95 % interval and the paired test (McNemar's, or random
signs) agree. What was found is written to `verdict.json`, from which, with the reports, it can be computed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith.contracts.artifacts import several
from tunesmith_statistics import Interval, mcnemar, mean_difference, share_difference, sign_flips, smallest_difference

FILE, LEVEL = "verdict.json", 0.05  # of the paired test; intervals are of 95 %
Pairs = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


@dataclass(frozen=True)
class Found:
    """A difference on the rows that both models have scored.

    Args:
        name: a metric, or an area of a regression set.
        p: of the paired test; None where there is none, as of a perplexity, which has an interval alone.
        lost: questions that the base had right and the model has not, the first ten.
    """

    name: str
    rows: int
    before: float
    after: float
    difference: Interval | None
    p: float | None
    lost: tuple[str, ...] = ()

    @property
    def beyond_chance(self) -> bool:
        return self.difference is not None and self.difference.certain and (self.p is None or self.p <= LEVEL)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "difference": self.difference._asdict() if self.difference else None, "lost": list(self.lost)}


def run(step: Step) -> Result:
    """
    Raises:
        UserError: TS-GATE-003 where the two were not asked the same, or what is to be compared is not there.
    """
    settings = step.settings
    task = _task(step.inputs["report"], step.inputs["base"], settings.metric)
    before, after = several(step.inputs, "regression_base"), several(step.inputs, "regression")
    if len(before) != len(after):
        raise UserError(
            "TS-GATE-003", f"`regression` names {len(after)} evaluations and `regression_base` {len(before)}",
            why="Each is compared with that in its place.", fix="Name one of the base for each of the model.",
        )  # fmt: skip
    areas = [found for one, two in zip(before, after, strict=True) for found in _areas(one, two)]
    sign = 1 if settings.better == "higher" else -1
    won = task.beyond_chance and task.difference is not None and sign * task.difference.value > 0
    lost = [one for one in areas if one.beyond_chance and one.difference is not None and one.difference.value < 0]
    step.log(_sentence(task, "better" if won else "not better beyond chance"))
    for one in areas:
        step.log(_sentence(one, "lost" if one in lost else "kept"), "warning" if one in lost else "info")
    told = {
        "verdict": won and not lost, "level": LEVEL, "better": settings.better, "task": task.to_json(), "won": won,
        "areas": [_told(one, lost=one in lost) for one in areas],
        "reports": {name: artifact.digest for name, artifact in step.inputs.items()},
    }  # fmt: skip
    (step.output / FILE).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    metrics = {"verdict": float(won and not lost), "won": float(won), "areas_lost": float(len(lost))} | (
        {} if task.p is None else {"p": task.p}
    )
    if task.difference:
        metrics |= {"difference": task.difference.value, "difference/low": task.difference.low, "difference/high": task.difference.high}
    return Result(metrics=metrics)


def _task(report: Artifact, base: Artifact, metric: str) -> Found:
    from tunesmith_cli.api import metric_difference, metric_p

    values = tuple(_metrics(one).get(metric) for one in (base, report))
    if values[0] is None or values[1] is None:
        raise UserError("TS-GATE-003", f"there is no metric `{metric}` in both evaluations",
                        why=f"There are {', '.join(sorted(_metrics(report)))}.", fix="Name one of these: setting `metric`.")  # fmt: skip
    pairs, count = _pairs(base, report), float(values[0])
    difference = metric_difference(metric, (count, float(values[1])), pairs, True)
    if difference is None:
        raise UserError(
            "TS-GATE-003", f"the metric `{metric}` does not follow from rows",
            why="So nobody can say what is chance. A mean of fewer than five rows doesn't say it either.",
            fix="Name one that is a mean over rows, as accuracy is, or a perplexity.",
        )  # fmt: skip
    p = metric_p((count, float(values[1])), pairs, True)
    scored = sum(not any("not_scored" in one for one in pair) for pair in pairs)
    return Found(metric, scored, count, float(values[1]), difference, p)


def _areas(base: Artifact, report: Artifact) -> list[Found]:
    """Of a regression set: each area that its rows name, or all of its rows."""
    pairs = [pair for pair in _pairs(base, report) if not any("not_scored" in one for one in pair)]
    names = dict.fromkeys(str(pair[0].get("area", "all rows")) for pair in pairs)
    return [_area(name, [pair for pair in pairs if str(pair[0].get("area", "all rows")) == name]) for name in names]


def _area(name: str, pairs: Pairs) -> Found:
    scores = [tuple(one.get("right", one.get("score")) for one in pair) for pair in pairs]
    if any(value is None for pair in scores for value in pair):
        raise UserError("TS-GATE-003", f"rows of `{name}` say neither right nor wrong", why="Without that nothing can be lost.",
                        fix="Name evaluations whose rows have `right` or `score`.")  # fmt: skip
    before, after = ([float(pair[at]) for pair in scores] for at in (0, 1))  # type: ignore[arg-type]
    if all(isinstance(value, bool) for pair in scores for value in pair):
        first, second = list(map(bool, before)), list(map(bool, after))
        difference: Interval | None = share_difference(first, second)
        p = mcnemar(first, second).p
    else:
        difference, p = mean_difference(before, after), sign_flips(before, after)
    lost = [str(pair[0]["question"]) for pair, old, new in zip(pairs, before, after, strict=True) if new < old]
    count = len(pairs)
    return Found(name, count, sum(before) / count, sum(after) / count, difference, p, tuple(lost[:10]))


def _pairs(base: Artifact, report: Artifact) -> Pairs:
    from tunesmith_cli.api import sample_pairs, samples

    before, after = samples(base), samples(report)
    found = sample_pairs(before, after)
    if not found or not len(found) == len(before) == len(after) or _asked(base) != _asked(report):
        few = len(found) < max(len(before), len(after))
        raise UserError(
            "TS-GATE-003", "the two evaluations did not ask the same",
            why=f"{len(found)} rows are in both, of {len(before)} and {len(after)}." if few else "Their requests or settings differ.",
            fix="Evaluate both models by the same evaluator, with the same settings, on the same rows.",
        )  # fmt: skip
    return found


def _asked(report: Artifact) -> tuple[str, str]:
    """Who asked, and the digest of the requests, where the evaluator keeps one."""
    try:
        digest = str(json.loads((report.path / "asked.json").read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        digest = ""
    return str(report.producer.get("name", "")), digest


def _metrics(report: Artifact) -> dict[str, float]:
    try:
        found: dict[str, float] = json.loads((report.path / "metrics.json").read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return {}


def _told(one: Found, *, lost: bool) -> dict[str, Any]:
    return {**one.to_json(), "lost_beyond_chance": lost, "smallest_difference": smallest_difference(one.rows)}


def _sentence(one: Found, verdict: str) -> str:
    bounds = f", 95 % {one.difference.low:+.3f} to {one.difference.high:+.3f}" if one.difference else ""
    bounds += f", p = {one.p:.2g}" if one.p is not None else ""
    return f"{one.name}: {one.before:.4g} -> {one.after:.4g} on {one.rows} rows{bounds}: {verdict}"
