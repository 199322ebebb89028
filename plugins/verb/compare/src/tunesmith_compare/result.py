"""What the evaluations of a run say: of which model, by which evaluator, and asked how."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import samples

if TYPE_CHECKING:
    from tunesmith import RunView
    from tunesmith.contracts.artifacts import Artifact

KIND, FORMAT, ASKED = "evaluator", "report/metrics", "asked.json"
#: settings that say how fast it is done, how often after a failure, or when there is no result: none of what is measured
SPEED = frozenset({"concurrency", "timeout", "max_retries", "max_tokens_per_microbatch", "batch_size", "reward_timeout", "max_not_scored"})
OF_ENDPOINT = "model"  # the setting that says which of an endpoint's models is asked


@dataclass(frozen=True)
class Model:
    """
    Args:
        name: what its pipeline calls it.
        key: tells it from every other: the digest of its artifact, where that is known.
        adapter: of an endpoint's several, the one that was asked.
        run: the one that it was found in.
        source: where the pipeline's model comes from; empty for one that a step made.
    """

    name: str
    key: str
    adapter: str
    run: str
    format: str = ""
    size: int | None = None
    source: str = ""


@dataclass(frozen=True)
class Identity:
    """What makes two results comparable: the evaluator with its version, its settings, the rows, and, where it keeps them, the requests."""

    facts: tuple[tuple[str, str], ...]

    def differences(self, other: Identity) -> list[tuple[str, str, str]]:
        """(name, value here, value there)."""
        mine, theirs = dict(self.facts), dict(other.facts)
        names = dict.fromkeys([*mine, *theirs])
        found = [(name, mine.get(name, ""), theirs.get(name, "")) for name in names if mine.get(name) != theirs.get(name)]
        return [one for one in found if one[0] != "requests"] or found  # other settings ask otherwise: that is told by them


@dataclass(frozen=True)
class Result:
    """
    Args:
        declared: what the evaluator says of each metric.
        settings: those of the evaluator that the identity is made of.
    """

    run: str
    step: str
    evaluator: str
    model: Model
    identity: Identity
    settings: Mapping[str, Any]
    metrics: Mapping[str, float]
    declared: Mapping[str, Mapping[str, Any]]
    artifact: Artifact | None

    @cached_property
    def samples(self) -> list[dict[str, Any]]:
        """What it says of each row; empty where it says nothing."""
        return samples(self.artifact)

    @property
    def judged(self) -> list[str]:
        """Metrics of which the evaluator says what is better, the main one first."""
        return [name for name in self.metrics if self.declared.get(name, {}).get("better")]


def results(view: RunView) -> Iterator[Result]:
    """Of each evaluation that the run has finished, in the plan's order."""
    for step in view.plan.steps:
        seen = view.steps.get(step.name)
        if step.format != FORMAT or KIND not in step.choices or seen is None or seen.row.state != "done" or not seen.metrics:
            continue
        record, artifact = step.choices[KIND].record, view.artifact(step.name)
        given = dict(step.choices[KIND].settings)
        adapter = str(given.pop(OF_ENDPOINT, "") or "")
        settings = {name: value for name, value in given.items() if name not in SPEED}
        rows = seen.made.inputs.get("data", "") if seen.made else ""
        yield Result(
            view.row.id, step.name, record.name, _model(view, step.source or step.group, adapter),
            _identity(record.name, record.version, settings, rows, artifact.path if artifact else None, step.seed),
            settings, dict(seen.metrics), record.facts.get("metrics", {}), artifact,
        )  # fmt: skip


def _identity(evaluator: str, version: str, settings: Mapping[str, Any], rows: str, path: Path | None, seed: int) -> Identity:
    facts = {"evaluator": evaluator, "version": version, **{name: _text(settings[name]) for name in sorted(settings)}}
    facts["data"] = rows
    if not settings.get("temperature"):  # where answers are drawn, each request has a seed: another one is the same question
        facts["requests"] = _requests(path)
    return Identity(tuple((name, value) for name, value in facts.items() if value != ""))


def _requests(path: Path | None) -> str:
    """The digest of all that was asked, as evaluators of answers keep it."""
    try:
        told = json.loads((path / ASKED).read_text(encoding="utf-8")) if path else {}
        return str(told["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _model(view: RunView, name: str, adapter: str) -> Model:
    seen = view.steps.get(name)
    planned = next((step for step in view.plan.steps if step.name == name), None)
    digest = seen.row.artifact if seen and seen.row.artifact else f"{view.row.id}:{name}"
    source = str(planned.settings.get("uri", "")) if planned and planned.inserted else ""
    return Model(name, digest, adapter, view.row.id, planned.format if planned else "", view.size(name) if seen else None, source)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
