"""What differs between two runs: settings, rows, environment, metrics, answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith_cli.runs_diff.sample_pairs import Pair, differing, metric_difference, metric_p, sample_pairs, samples
from tunesmith_statistics import Interval

if TYPE_CHECKING:
    from tunesmith.planning.plan import PlannedStep
    from tunesmith.running.journal.run_view import RunView

ABSENT = None  # in place of a value that one of the two does not have
_SHOWN = 3  # rows that only one of the two has


@dataclass(frozen=True)
class Difference:
    """Something that is not alike. `step` is empty for the whole run."""

    step: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Rows:
    """Rows of a step that made some: how many both have, and how many only one of them has, with the first of those."""

    step: str
    both: int
    only_before: int
    only_after: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """`interval` is of `after` less `before`, where it follows from rows that both were asked; `rows` is how many those are. `p` is of the
    paired test whether they differ."""

    step: str
    name: str
    before: float | None
    after: float | None
    interval: Interval | None = None
    rows: int = 0
    p: float | None = None


class Comparison:
    """Of the run `before` with the run `after`; steps are compared by their names."""

    def __init__(self, before: RunView, after: RunView) -> None:
        self.before, self.after = before, after

    @cached_property
    def steps(self) -> list[str]:
        """That both have, in the order of the second."""
        return [name for name in self.after.steps if name in self.before.steps]

    @cached_property
    def settings(self) -> list[Difference]:
        """Steps that only one has; providers and settings of the others."""
        found = [Difference(name, "step", "there", ABSENT) for name in self.before.steps if name not in self.after.steps]
        found += [Difference(name, "step", ABSENT, "there") for name in self.after.steps if name not in self.before.steps]
        return found + list(self._differing(_settings))

    @cached_property
    def environment(self) -> list[Difference]:
        """Versions of distributions, devices, isolated environments, and the machine where reports tell of it."""
        hosts = [_host(view) for view in (self.before, self.after)]
        return [*_unlike("", hosts[0], hosts[1]), *self._differing(_placement)]

    @cached_property
    def rows(self) -> list[Rows]:
        """Of steps whose rows are not the same ones."""
        return [found for name in self.steps if (found := self._rows(name))]

    @cached_property
    def metrics(self) -> list[Metric]:
        found = []
        for name in self.steps:
            measured = (self.before.steps[name].metrics, self.after.steps[name].metrics)
            asked, whole = self.samples[name]
            for metric in dict.fromkeys([*measured[0], *measured[1]]):
                values = (measured[0].get(metric), measured[1].get(metric))
                sure = p = None
                if values[0] is not None and values[1] is not None:
                    sure = metric_difference(metric, (values[0], values[1]), asked, whole)
                    p = metric_p((values[0], values[1]), asked, whole)
                scored = sum(not any("not_scored" in sample for sample in pair) for pair in asked)
                found.append(Metric(name, metric, *values, sure, scored if sure else 0, p if sure else None))
        return found

    @cached_property
    def samples(self) -> dict[str, tuple[list[Pair], bool]]:
        """step -> rows that both were asked, and whether those are all of both."""
        found = {}
        for name in self.steps:
            told = [samples(view.artifact(name)) for view in (self.before, self.after)]
            both = sample_pairs(*told)
            found[name] = (both, len(both) == len(told[0]) == len(told[1]))
        return found

    def answers(self, name: str) -> list[Pair]:
        """Of a step: the rows that were answered otherwise."""
        return differing(self.samples[name][0])

    def to_json(self) -> dict[str, Any]:
        return {
            "runs": [asdict(view.row) for view in (self.before, self.after)],
            "settings": [asdict(one) for one in self.settings], "rows": [asdict(one) for one in self.rows],
            "environment": [asdict(one) for one in self.environment],
            "metrics": [asdict(one) | {"interval": one.interval._asdict() if one.interval else None} for one in self.metrics],
            "samples": {name: [list(pair) for pair in self.answers(name)] for name in self.steps if self.answers(name)},
        }  # fmt: skip

    def _differing(self, facts: Any) -> Iterator[Difference]:
        planned = [{step.name: step for step in view.plan.steps} for view in (self.before, self.after)]
        for name in self.steps:
            if all(name in steps for steps in planned):
                told = [facts(steps[name], view) for steps, view in zip(planned, (self.before, self.after), strict=True)]
                yield from _unlike(name, *told)

    def _rows(self, name: str) -> Rows | None:
        digests = [view.steps[name].row.artifact for view in (self.before, self.after)]
        made = [view.artifact(name) for view in (self.before, self.after)]
        if digests[0] == digests[1] or not all(one and one.format.startswith("dataset/") for one in made):
            return None
        lines = [Counter(_lines(one)) for one in made]
        only = [lines[0] - lines[1], lines[1] - lines[0]]
        if not any(only):
            return None
        shown = [tuple(list(one)[:_SHOWN]) for one in only]
        return Rows(name, (lines[0] & lines[1]).total(), only[0].total(), only[1].total(), *shown)


def _lines(artifact: Any) -> Iterator[str]:
    for path in sorted(artifact.path.rglob("*.jsonl")):
        with open(path, encoding="utf-8", errors="replace") as lines:
            yield from (line.rstrip("\n") for line in lines)


def _settings(step: PlannedStep, view: RunView) -> dict[str, Any]:
    """Those in force: where a remedy has changed some, as it left them."""
    made = view.steps[step.name].made
    found: dict[str, Any] = {"verb": step.verb.name, "seed": step.seed}
    for slot, choice in step.choices.items():
        found[slot] = choice.record.name
        found |= {f"{choice.record.name}.{key}": value for key, value in choice.settings.items()}
    inputs = {f"input {key}": source.step or str(source.file) for key, source in step.inputs.items()}
    return found | inputs | dict(step.settings) | dict(made.producer.get("step", {}) if made else {})


def _placement(step: PlannedStep, view: RunView) -> dict[str, Any]:
    place = step.placement
    packages = view.environments[step.lock].packages if step.lock in view.environments else {}
    return {
        "device": place.device, "processes": place.processes, "environment": step.lock or "host",
        **{f"package {name}": version for name, version in packages.items()},
    }  # fmt: skip


def _host(view: RunView) -> dict[str, Any]:
    """The distributions that took part, and what the run's report says of the machine."""
    records = [record for step in view.plan.steps for record in (step.verb, *(choice.record for choice in step.choices.values()))]
    found: dict[str, Any] = {record.distribution: record.version for record in records}
    try:
        told = json.loads((view.directory / "report.json").read_text(encoding="utf-8"))["environment"]
        return {name: told[name] for name in ("python", "platform", "machine") if name in told} | found
    except (OSError, ValueError, KeyError, TypeError):
        return found


def _unlike(step: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for what in dict.fromkeys([*before, *after]):
        if before.get(what) != after.get(what):
            yield Difference(step, what, before.get(what), after.get(what))
