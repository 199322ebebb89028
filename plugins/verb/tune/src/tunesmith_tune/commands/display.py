"""What the command says while a search goes on: a line for each trial in the reader's language, or JSON."""

from __future__ import annotations

import shlex
from math import inf
from typing import TYPE_CHECKING

from tunesmith_cli.api import columns, duration, number, padded, safe, safe_json, translated
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import size as bytes_of
from tunesmith_tune.api import Parameter, Value
from tunesmith_tune.api.space import size
from tunesmith_tune.report.page import PAGE
from tunesmith_tune.report.result import SearchResult
from tunesmith_tune.study.study import Leg, Study

if TYPE_CHECKING:
    from tunesmith_tune.commands.preparation import PreparedSearch


_NAME, _STATE = 9, 12  # columns of a trial's name and of what became of it


class Display:
    def __init__(self, study: Study, as_json: bool) -> None:
        self.study, self.as_json = study, as_json

    def opening(self, ready: PreparedSearch) -> None:
        search = ready.study.search
        if self.as_json:
            self._json({
                "event": "search", "folder": str(ready.study.folder), "searcher": ready.searcher, "resumed": ready.study.resumed,
                "remarks": list(ready.remarks), "parallel": ready.parallel,
            })  # fmt: skip
            return
        followed = _(", follows {metric}", metric=search.followed.name) if search.followed else ""
        named = _("{searcher}, seed {seed}{followed}", searcher=ready.searcher, seed=search.seed, followed=followed)
        rows = [(_("searcher"), named), (_("written to"), str(ready.study.folder))]
        rows += [(goal.name, _("higher is better") if goal.better == "higher" else _("lower is better")) for goal in search.goals]
        self._say(columns(rows))
        for remark in ready.remarks:
            self._say(f"! {translated(remark)}")
        if ready.study.resumed:
            self._say(_("goes on after {count} trials; --new begins anew", count=len(ready.study.trials())))

    def planned(self, ready: PreparedSearch) -> None:
        """What would be run, in place of running it."""
        space, estimates = ready.study.search.space, {step.name: step.estimate for step in ready.plan.steps if step.estimate}
        peak = max(estimates, key=lambda name: estimates[name].memory, default="")
        memory, disk = estimates[peak].memory if peak else 0.0, sum(one.disk for one in estimates.values())
        count, first, budget = size(space), dict(ready.first()), " ".join(ready.args.budget)
        if self.as_json:
            self._json({
                "event": "plan", "space": [{"name": one.name, "values": _range(one)} for one in space],
                "trials": count if count < inf else None, "budget": budget, "memory": memory, "disk": disk, "first": first,
            })  # fmt: skip
            return
        rows = [(one.name, _range(one)) for one in space]
        if count < inf:
            rows.append((_("trials"), _("{count} different ones", count=number(count))))
        rows += [(_("budget"), budget), (_("at once"), str(ready.parallel))]
        if peak:
            needed = {"memory": bytes_of(memory), "step": peak, "disk": bytes_of(disk)}
            needs = _("memory about {memory} (in {step}), disk about {disk}, less where trials share it", **needed)
            rows.append((_("a trial"), needs))
        rows.append((_("the first"), "  ".join(f"{name.rpartition('.')[2]} {_value(value)}" for name, value in first.items())))
        self._say("\n" + columns(rows))
        self._say("\n" + _("Both ends of each range and each choice were planned. Nothing was run: without --plan it begins."))

    def leg(self, leg: Leg) -> None:
        """A leg begins or has ended."""
        if self.as_json:
            error = leg.error.to_json() if leg.error else None
            self._json({
                "event": "trial", "trial": leg.trial, "leg": leg.number, "state": leg.state or "running", "values": dict(leg.values),
                "scores": list(leg.scores), "run": leg.run, "seconds": leg.seconds, "same_as": leg.same_as, "error": error,
            })  # fmt: skip
            return
        name = padded(_("trial {number}", number=leg.trial + 1), _NAME)
        values = "  ".join(f"{place.rpartition('.')[2]} {_value(value)}" for place, value in leg.values.items())
        points = self.study.points(leg)
        far = _(" at {share}", share=f"{points[-1].share:.0%}") if points and leg.state != "done" else ""
        if not leg.state:
            on = _("goes on from {share}", share=f"{points[-1].share:.0%}") if points else _("begins")
            self._say(f"{name} {padded(on, _STATE)} {values}")
            return
        said = f"{name} {padded(_(leg.state) + far, _STATE)}"
        if leg.same_as is not None:
            self._say(f"{said} {_('as trial {number}, which had the same values', number=leg.same_as + 1)}")
        elif leg.error:
            self._say(f"{said} {leg.error.code}: {translated(leg.error.what)}")
        else:
            scores = zip(self.study.search.goals, leg.scores, strict=False)
            told = ", ".join(f"{goal.name} {number(score)}" for goal, score in scores)
            self._say(f"{said} {told or self._newest(leg)}  {duration(leg.seconds)}{self._whether_best(leg)}")

    def result(self, result: SearchResult) -> None:
        if self.as_json:
            self._json({"event": "result", "folder": str(result.folder), **result.to_json()})
            return
        reason = translated(result.reason) if result.reason else _("it was stopped")
        self._say("\n" + _("ended: {reason}; {time} in all", reason=reason, time=duration(result.spent)))
        if not result.best:
            self._say(_("no trial came to its end. The same command goes on where it stopped."))
            return
        for trial in result.front if len(result.search.goals) > 1 else [result.best]:
            scores = ", ".join(f"{g.name} {number(s)}" for g, s in zip(result.search.goals, trial.scores, strict=True))
            self._say(_("best  trial {number}: {scores}", number=trial.number + 1, scores=scores))
            self._say(columns([(name, _value(value)) for name, value in trial.values.items()], "      "))
        importance = ", ".join(f"{name.rpartition('.')[2]} {share:.0%}" for name, share in result.importance.items())
        rows = [(_("importance"), importance)] if importance else []
        self._say(
            columns([*rows, (_("report"), str(result.folder / PAGE)), (_("run it"), f"tunesmith run {shlex.quote(str(result.pipeline))}")])
        )

    def _newest(self, leg: Leg) -> str:
        points, followed = self.study.points(leg), self.study.search.followed
        return f"{followed.name} {number(points[-1].value)}" if points and followed else ""

    def _whether_best(self, leg: Leg) -> str:
        goal = self.study.search.goals[0]
        scores = [goal.cost(trial.scores[0]) for trial in self.study.trials() if trial.state == "done"]
        return "  " + _("best so far") if leg.state == "done" and goal.cost(leg.scores[0]) == min(scores) else ""

    @staticmethod
    def _say(line: str) -> None:
        print(safe(line), flush=True)

    @staticmethod
    def _json(data: dict[str, object]) -> None:
        print(safe_json(data), flush=True)


def _range(one: Parameter) -> str:
    """The values of a parameter, for people."""
    if one.form == "choice":
        return " | ".join(map(_value, one.choices))
    ends = {"low": f"{one.low:.4g}", "high": f"{one.high:.4g}"}
    if one.form == "log":
        return _("{low} to {high}, each power of ten as often", **ends)
    return _("{low} to {high}, {step} apart", step=one.step, **ends) if one.form == "int" else _("{low} to {high}", **ends)


def _value(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
