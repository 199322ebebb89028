"""What the command says while a search goes on: a line for each trial, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith_cli.api import columns, duration, number, safe, safe_json
from tunesmith_tune.api import Value
from tunesmith_tune.report.page import PAGE
from tunesmith_tune.report.result import SearchResult
from tunesmith_tune.study.study import Leg, Study

if TYPE_CHECKING:
    from tunesmith_tune.commands.preparation import PreparedSearch


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
        followed = f", follows {search.followed.name}" if search.followed else ""
        rows = [("searcher", f"{ready.searcher}, seed {search.seed}{followed}"), ("written to", str(ready.study.folder))]
        rows += [(goal.name, f"{goal.better} is better") for goal in search.goals]
        self._say(columns(rows))
        for remark in ready.remarks:
            self._say(f"! {remark}")
        if ready.study.resumed:
            self._say(f"goes on after {len(ready.study.trials())} trials; --new begins anew")

    def leg(self, leg: Leg) -> None:
        """A leg begins or has ended."""
        if self.as_json:
            error = leg.error.to_json() if leg.error else None
            self._json({
                "event": "trial", "trial": leg.trial, "leg": leg.number, "state": leg.state or "running", "values": dict(leg.values),
                "scores": list(leg.scores), "run": leg.run, "seconds": leg.seconds, "same_as": leg.same_as, "error": error,
            })  # fmt: skip
            return
        name = f"trial {leg.trial + 1:<3}"
        values = "  ".join(f"{place.rpartition('.')[2]} {_value(value)}" for place, value in leg.values.items())
        points = self.study.points(leg)
        far = f" at {points[-1].share:.0%}" if points and leg.state != "done" else ""
        if not leg.state:
            on = f"goes on from {points[-1].share:.0%}" if points else "begins"
            self._say(f"{name} {on:<12} {values}")
            return
        said = f"{name} {leg.state + far:<12}"
        if leg.same_as is not None:
            self._say(f"{said} as trial {leg.same_as + 1}, which had the same values")
        elif leg.error:
            self._say(f"{said} {leg.error.code}: {leg.error.what}")
        else:
            scores = zip(self.study.search.goals, leg.scores, strict=False)
            told = ", ".join(f"{goal.name} {number(score)}" for goal, score in scores)
            self._say(f"{said} {told or self._newest(leg)}  {duration(leg.seconds)}{self._whether_best(leg)}")

    def result(self, result: SearchResult) -> None:
        if self.as_json:
            self._json({"event": "result", "folder": str(result.folder), **result.to_json()})
            return
        self._say(f"\nended: {result.reason or 'it was stopped'}; {duration(result.spent)} in all")
        if not result.best:
            self._say("no trial came to its end. The same command goes on where it stopped.")
            return
        for trial in result.front if len(result.search.goals) > 1 else [result.best]:
            scores = ", ".join(f"{g.name} {number(s)}" for g, s in zip(result.search.goals, trial.scores, strict=True))
            self._say(f"best  trial {trial.number + 1}: {scores}")
            self._say(columns([(name, _value(value)) for name, value in trial.values.items()], "      "))
        if result.importance:
            self._say("importance  " + ", ".join(f"{name.rpartition('.')[2]} {share:.0%}" for name, share in result.importance.items()))
        self._say(f"report      {result.folder / PAGE}")
        self._say(f"run it      tunesmith run {result.pipeline}")

    def _newest(self, leg: Leg) -> str:
        points, followed = self.study.points(leg), self.study.search.followed
        return f"{followed.name} {number(points[-1].value)}" if points and followed else ""

    def _whether_best(self, leg: Leg) -> str:
        goal = self.study.search.goals[0]
        scores = [goal.cost(trial.scores[0]) for trial in self.study.trials() if trial.state == "done"]
        return "  best so far" if leg.state == "done" and goal.cost(leg.scores[0]) == min(scores) else ""

    @staticmethod
    def _say(line: str) -> None:
        print(safe(line), flush=True)

    @staticmethod
    def _json(data: dict[str, object]) -> None:
        print(safe_json(data), flush=True)


def _value(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
