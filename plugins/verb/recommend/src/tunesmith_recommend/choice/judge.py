"""Who judges what was learnt, on rows that are held out, and the bounds that it has to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.choice import verbs
from tunesmith_recommend.choice.declared import Declared, declared
from tunesmith_recommend.choice.recommendation import Wanted
from tunesmith_recommend.choice.rules import Rule, rules

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

KIND = "evaluator"
_SIGNS = {"lower": "<=", "higher": ">="}


@dataclass(frozen=True)
class Judge:
    """An evaluator for these rows.

    Args:
        verb: that it works in.
        metric: that decides; `better`: ``lower`` or ``higher``.
        of_base: whether the model that training begins with can be judged, too.
        test_size: share of the rows that is held out for it.
    """

    verb: ProviderRecord
    chosen: Declared
    metric: str
    better: str
    of_base: bool
    test_size: float

    def step(self, of: Sequence[str], data: Any, gate: str = "") -> dict[str, Any]:
        """The step that judges what the steps `of` make."""
        step = {self.verb.name: self.chosen.written, "from": list(of) if len(of) > 1 else of[0], verbs.rows_of(self.verb): data}
        return step | ({"gate": {self.metric: gate}} if gate else {})

    def bound(self, rule: Rule, than: str) -> str:
        """The bound that a rule puts on the metric, measured against what another step's result has."""
        return f"{_SIGNS[self.better]} {rule[self.better]:g}x {than}"


def judges(registry: Registry, wanted: Wanted) -> Iterator[Judge]:
    """The one that judges these rows best, if any says that it does and there are rows enough to hold some out."""
    verb, rule, rows = verbs.verb_over(registry, KIND), rules()["data.held-out"], int(wanted.data["rows"])
    if verb is None or rows < rule["least"]:
        return
    made = wanted.data["produces"]
    records = [one for one in registry.providers(KIND).values() if any(format in made for format in one.facts.get("data", ()))]
    for one in declared(records, wanted.goal, wanted.asked_task, float(wanted.data["tokens"])):
        metric, better = _deciding(one.record)
        if one.said and metric:
            of_base = any("+" not in format for format in one.record.accepts)  # with a role: what training gives a model
            yield Judge(verb, one, metric, better, of_base, float(f"{min(rule['share'], rule['most'] / rows):.2g}"))
            return


def trained_on(wanted: Wanted, judge: Judge | None) -> int:
    """Rows that are left to learn from."""
    rows = int(wanted.data["rows"])
    return rows - round(rows * judge.test_size) if judge else rows


def part(data: Any, name: str, judge: Judge | None) -> Any:
    """A part of the rows as a pipeline writes it; all of them where nobody judges."""
    if judge is None:
        return data
    file: Mapping[str, Any] = data if isinstance(data, Mapping) else {"path": data}
    return {**file, "split": name, "test_size": judge.test_size}


def _deciding(record: ProviderRecord) -> tuple[str, str]:
    """The first of its metrics of which it says which way is better."""
    metrics: Mapping[str, Mapping[str, Any]] = record.facts.get("metrics", {})
    return next(((name, told["better"]) for name, told in metrics.items() if told.get("better") in _SIGNS), ("", ""))
