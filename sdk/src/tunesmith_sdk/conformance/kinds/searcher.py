"""Checks of searchers: seeded, within their budget, taking scores."""

from __future__ import annotations

import json
from typing import Any

from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.subject import Subject

MOST = 10_000  # proposals after which a searcher has no budget


def _score(settings: Any) -> float:
    """The same for the same settings."""
    return float(sum(json.dumps(dict(settings), sort_keys=True).encode()) % 101)


def _searched(subject: Subject, searcher: Any, most: int = MOST) -> list[dict[str, Any]]:
    """What it proposes, told its scores; `most` proposals of it."""
    proposed: list[dict[str, Any]] = []
    while (settings := searcher.ask()) is not None:
        subject.step.check_cancelled()
        proposed.append(json.loads(json.dumps(dict(settings))))
        searcher.tell(settings, _score(settings))
        if len(proposed) >= most:
            break
    return proposed


@action("searcher")
def work(subject: Subject) -> None:
    """Search to the end of the budget."""
    _searched(subject, subject.build())


@observer("searcher")
def observe(subject: Subject) -> dict[str, Any]:
    """What it proposes."""
    return {"proposed": _searched(subject, subject.build(), 100)}


@check("searcher.seeded", kind="searcher", title="with the same seed and scores it proposes the same, in the same order")
def seeded(subject: Subject) -> None:
    if _searched(subject, subject.build(), 100) != _searched(subject, subject.build(), 100):
        raise CheckFailed(
            "two searches with one seed propose different settings", fix="Draw from a generator of its own, made of the seed."
        )


@check("searcher.keeps-its-budget", kind="searcher", title="it proposes something, comes to an end, and stays there")
def keeps(subject: Subject) -> None:
    searcher = subject.build()
    proposed = _searched(subject, searcher)
    if len(proposed) >= MOST:
        raise CheckFailed(f"after {MOST} proposals its budget is not spent", fix="Return None from `ask` once it is.")
    if not proposed:
        raise CheckFailed("it proposes nothing", fix="Return settings from `ask` until the budget is spent.")
    if searcher.ask() is not None:
        raise CheckFailed("after its end it proposes again", fix="Return None from `ask` for good.")


@check("searcher.plain-settings", kind="searcher", title="what it proposes is JSON, and its own afterwards")
def plain(subject: Subject) -> None:
    first, second = subject.build(), subject.build()
    one, other = first.ask(), second.ask()
    try:
        before = json.dumps(dict(one))
    except (TypeError, ValueError) as error:
        raise CheckFailed("what it proposes is no JSON", found=str(error), fix="Give numbers, strings, lists and mappings.") from error
    if before != json.dumps(dict(other)):
        raise NotRun("two searches with one seed differ", where="mend searcher.seeded first")
    first.tell(one, 1.0)
    second.tell(json.loads(before), 1.0)
    if first.ask() != second.ask():
        raise CheckFailed("a copy of its settings is not told from them", fix="Recognise settings by what they hold.")
