"""What is done where something fails: rules as data, `policy.json`, each told before anything runs and again when it is followed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import translated

if TYPE_CHECKING:
    from tunesmith.running.outcome import RunOutcome
    from tunesmith_recommend.api import Recommendation


@dataclass(frozen=True)
class Failure:
    """What went wrong in a run.

    Args:
        step: of the pipeline, that failed; `gate`: the step whose bounds were not kept. One of them is empty.
        why: in words.
    """

    step: str
    gate: str
    why: str


@dataclass(frozen=True)
class Remedy:
    """What to do otherwise.

    Args:
        rule: its name in `policy.json`.
        failed, settings, reasons: what a recommendation has to leave out, and what it has to take: see `tunesmith_recommend.api.Wishes`.
    """

    rule: str
    why: str
    failed: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"{policy()[self.rule]['text']} ({self.why})"

    @property
    def shown(self) -> str:
        """The same in the reader's language."""
        return f"{translated(policy()[self.rule]['text'])} ({translated(self.why)})"


@cache
def policy() -> Mapping[str, Mapping[str, Any]]:
    """Name -> rule.

    ``failed`` or ``gate``: the step that it is about (neither: it follows from no failure); ``leave_out``: the step of which something
    else is wanted, or ``setting`` and ``divided_by``; ``times`` that it is followed at most; ``text`` and ``source``.
    """
    return dict(json.loads((Path(__file__).parent / "policy.json").read_text(encoding="utf-8")))


def failure_of(outcome: RunOutcome, groups: Mapping[str, str]) -> Failure | None:
    """What a run failed of; None where nothing can be done about it: it was cancelled, or the user has to see to it.

    Args:
        groups: name of a step of the plan -> the pipeline's step that it belongs to.
    """
    if outcome.error is None or outcome.state == "cancelled":
        return None
    name, failed = next(((name, step) for name, step in outcome.steps.items() if step.state == "failed" and step.error), ("", None))
    if failed and failed.error:
        return None if failed.error.user else Failure(groups.get(name, name), "", f"{failed.error.code}, {failed.error.what}")
    missed = next((gate for gate in outcome.gates if not gate.passed), None)
    return Failure("", missed.group, missed.text) if missed else None


def remedy(failure: Failure, found: Recommendation, settings: Mapping[str, Any], followed: Sequence[str]) -> Remedy | None:
    """What to do about it; None where no rule says anything, or has been followed as often as it may be.

    Args:
        found: what was recommended, and failed; `settings`: that its training step was carried out with.
        followed: names of the rules that were followed before.
    """
    for name, rule in policy().items():
        if not _about(rule, failure) or followed.count(name) >= rule["times"]:
            continue
        if (step := rule.get("leave_out")) and (tried := found.tried.get(step)):
            return Remedy(name, failure.why, failed={tried: failure.why})
        if (setting := rule.get("setting")) and (value := float(settings.get(setting) or 0)):
            less = float(f"{value / rule['divided_by']:.3g}")
            return Remedy(name, failure.why, settings={setting: less}, reasons={setting: f"{value:g} was tried: {failure.why}"})
    return None


def promises(found: Recommendation) -> Iterator[str]:
    """The rules that may be followed, a sentence each, in the reader's language."""
    steps = found.pipeline["steps"]
    for rule in policy().values():
        if rule.get("failed") in steps or steps.get(rule.get("gate"), {}).get("gate"):
            yield f"{translated(rule['text'])} ({rule['source']})"


def _about(rule: Mapping[str, Any], failure: Failure) -> bool:
    return failure.step == rule.get("failed") if failure.step else failure.gate == rule.get("gate")
