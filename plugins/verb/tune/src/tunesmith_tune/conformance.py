"""Checks of searchers: they stay within the space, say the same whenever they are asked, and take trials that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer
from tunesmith_tune.api import Goal, Parameter, Point, Proposal, Prunes, Search, Trial, Value

SPACE = (
    Parameter("steps.tune.settings.learning_rate", "log", 1e-5, 1e-2),
    Parameter("steps.tune.settings.warmup_ratio", "uniform", 0.0, 0.3),
    Parameter("steps.tune.adapter.tilt.angle", "int", 4, 64, step=4),
    Parameter("steps.tune.optimizer", "choice", choices=("adamw", "lion")),
)
SEARCH = Search(SPACE, (Goal("score.accuracy", "higher"),), seed=3, followed=Goal("tune.validation_loss", "lower"))
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)  #: where the followed metric is measured
LEGS = 24  # proposals in an examination


def loss(values: Mapping[str, Value]) -> float:
    """Of the made-up pipeline: least where each parameter is three tenths of its way."""
    return sum((parameter.share(values[parameter.name]) - 0.3) ** 2 for parameter in SPACE)


def followed(values: Mapping[str, Value], until: float, since: float = 0.0) -> list[Point]:
    """Points of the followed metric up to the first one at `until`, after `since`."""
    last = next(share for share in SHARES if share >= until - 1e-9)
    return [Point(share, loss(values) + 1.0 - share) for share in SHARES if since < share <= last]


def searched(build: Callable[[], Any], search: Search, legs: int = LEGS, fails: Callable[[int], bool] = lambda number: False) -> Any:
    """A search of so many proposals, one after the other: the trials, and what was proposed.

    Args:
        build: gives the searcher that is asked next.
        fails: whether the trial of a number fails.
    """
    history: list[Trial] = []
    said: list[Proposal] = []
    for _ in range(legs):
        proposal = build().propose(search, tuple(history))
        if proposal is None:
            break
        said.append(proposal)
        if proposal.trial is None:
            trial = Trial(len(history), dict(proposal.values), "running")
            history.append(trial)
        else:
            trial = history[proposal.trial]
        history[trial.number] = ended(build, search, tuple(history), trial, proposal.until, fails(trial.number))
    return history, said


def ended(build: Callable[[], Any], search: Search, history: tuple[Trial, ...], trial: Trial, until: float, fails: bool) -> Trial:
    """What became of a trial."""
    if fails:
        return replace(trial, state="failed")
    searcher, points = build(), list(trial.points)
    for point in followed(trial.values, until, points[-1].share if points else 0.0) if search.followed else ():
        points.append(point)
        now = replace(trial, state="running", points=tuple(points))
        if point.share < 1 and isinstance(searcher, Prunes) and searcher.prune(search, history[: trial.number], now):
            return replace(now, state="pruned")
    scores = tuple(goal.cost(loss(trial.values)) for goal in search.goals)
    state = "done" if until >= 1 else "paused"
    return replace(trial, state=state, points=tuple(points), scores=scores if state == "done" else ())


def spoken(said: list[Proposal]) -> list[Any]:
    return [(dict(one.values), one.trial, one.until) for one in said]


@action("searcher")
def work(subject: Subject) -> None:
    searched(subject.build, SEARCH, legs=3)


@observer("searcher")
def observe(subject: Subject) -> Mapping[str, Any]:
    """What it proposes, and when it gives up."""
    trials, said = searched(subject.build, SEARCH)
    return {"proposals": spoken(said), "states": [(trial.state, len(trial.points)) for trial in trials]}


@check("searcher.stays-in-the-space", kind="searcher", title="each trial has a value for every parameter, of its type and within its range")
def stays_in_the_space(subject: Subject) -> Iterator[CheckFailed]:
    for search in (SEARCH, replace(SEARCH, followed=None)):
        trials, said = searched(subject.build, search)
        if not said:
            yield CheckFailed("it proposes nothing", fix="Return a `Proposal` for an empty history.")
        for proposal in (one for one in said if one.trial is None):
            if set(proposal.values) != {parameter.name for parameter in SPACE}:
                yield CheckFailed(f"it proposes {sorted(proposal.values)}", fix="Give each parameter of `search.space` a value.")
                return
            for parameter in SPACE:
                if not parameter.has(value := proposal.values[parameter.name]):
                    yield CheckFailed(
                        f"{value!r} ({type(value).__name__}) is no value of {parameter.name}",
                        fix="See `Parameter.has`: the type counts, too.",
                    )
                    return
            if not 0 < proposal.until <= 1 or (proposal.until < 1 and not search.followed):
                yield CheckFailed(f"a trial shall pause at {proposal.until}", fix="Ask for that only where a metric is followed.")
        if any(trial.state == "paused" for trial in trials) and not any(one.trial is not None for one in said):
            yield CheckFailed("paused trials never go on", fix="Propose them again by their number.")


@check("searcher.same-sequence", kind="searcher", title="a new one with the same history goes on as the old one would have")
def same_sequence(subject: Subject) -> None:
    one = subject.build()
    _, kept = searched(lambda: one, SEARCH)
    _, new = searched(subject.build, SEARCH)
    for number, (before, after) in enumerate(zip(spoken(kept), spoken(new), strict=False)):
        if before != after:
            raise CheckFailed(
                f"asked anew, it proposes something else at place {number}", found=f"{before} and {after}",
                fix="Draw from Random(f'{search.seed}:{number}'), and make everything else from the history.",
            )  # fmt: skip
    if len(kept) != len(new):
        raise CheckFailed(f"asked anew, it proposes {len(new)} in place of {len(kept)}", fix="Keep no count of your own.")


@check("searcher.takes-failures", kind="searcher", title="trials that failed, all of them or some, neither break nor end it")
def takes_failures(subject: Subject) -> Iterator[CheckFailed]:
    _, undisturbed = searched(subject.build, SEARCH, legs=12)
    for which, fails in (("all trials", lambda number: True), ("each second trial", lambda number: number % 2 == 0)):
        try:
            _, said = searched(subject.build, SEARCH, legs=12, fails=fails)
        except Exception as error:
            yield CheckFailed(
                f"where {which} fail, it raises {type(error).__name__}", found=str(error), fix="Pass over what has no scores."
            )
            continue
        if len(said) < min(12, len(undisturbed)):
            yield CheckFailed(f"where {which} fail, it ends after {len(said)}", fix="Go on as long as there is something to try.")
        again = [one.trial for one in said if one.trial is not None and fails(one.trial)]
        if again:
            yield CheckFailed(f"it goes on with trial {again[0]}, which has failed", fix="Go on with paused trials alone.")


@check("searcher.never-prunes-the-best", kind="searcher", title="a trial that is ahead of all others at each point is not given up")
def never_prunes_the_best(subject: Subject) -> None:
    if not isinstance(subject.build(), Prunes):
        return
    trials, _ = searched(subject.build, SEARCH)
    best = Trial(len(trials), {parameter.name: parameter.spread(2)[0] for parameter in SPACE}, "running")
    for share in SHARES[:-1]:
        best = replace(best, points=(*best.points, Point(share, -1.0 - share)))
        if subject.build().prune(SEARCH, tuple(trials), best):
            raise CheckFailed(
                f"it gives the best trial of all up at {share:.0%}", fix="Mind whether `search.followed` is better lower or higher."
            )
