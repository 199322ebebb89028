"""A whole run from rows to a served model: what is recommended is carried out, and where it fails, what the policy says."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith import Pipeline
from tunesmith.planning.plan import Decision
from tunesmith.running.home_permissions import make_home
from tunesmith_auto import rate_search
from tunesmith_auto.history import History
from tunesmith_auto.load_test import LOAD, with_load_test
from tunesmith_auto.policy import Remedy, failure_of, promises, remedy
from tunesmith_cli.api import Session, columns, file_argument, safe, safe_json, translated
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import (
    Recommendation,
    Wanted,
    Wishes,
    check_place,
    facts_of,
    named_from,
    page,
    pipeline_file,
    recommended,
    stages,
    written,
)

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan, PlannedStep
    from tunesmith.running.outcome import RunOutcome
    from tunesmith_ask.api import Request


@dataclass
class AutoRun:
    """
    Args:
        data: file with the rows; `file`: the pipeline's, which is written before anything is run.
        history: what was tried before.
        load_test: whether to put load on the server at the end.
        trials: of a search for the learning rate; 0: none.
        as_json: tell in lines of JSON.
        request: what a sentence was understood as; None: there was none.
    """

    session: Session
    data: Path
    wishes: Wishes
    file: Path
    history: History
    load_test: bool = True
    trials: int = 0
    as_json: bool = False
    request: Request | None = None

    @property
    def folder(self) -> Path:
        """That the pipeline lies in, from which it names the rows."""
        return self.file.parent.absolute()

    def prepare(self, *, force: bool = False) -> None:
        """Recommend, write the pipeline's file, and show what would be done.

        Args:
            force: write over a file that is not from here.

        Raises:
            UserError: as `recommended` does, and what is wrong with the plan; TS-RECOMMEND-004 for a file that somebody else wrote.
        """
        check_place(self.file, force=force or self.history.owns(self.file))
        if self.trials:
            rate_search.check(self.session.registry, self.file)
            self.wishes = rate_search.held_out(self.wishes)
        make_home(self.session.config.home, self.session.config.group)  # what is noted there is nobody else's business
        found, plan = self._recommended()
        if self.as_json:
            return
        self.session.show(plan, as_json=False)
        if told := [*promises(found)]:
            print(safe("\n".join(["", _("where something fails"), *(f"  {one}" for one in told)])))
        print(safe("\n" + _("{file} holds the pipeline, with the reasons as comments.", file=self.file)))

    def carry_out(self, *, serve: bool) -> int:
        """Run what is recommended until it is done, or no rule says what else to try.

        Args:
            serve: keep the server up at the end, until it is stopped.

        Returns:
            The exit status.
        """
        if self.trials and rate_search.RULE not in self.history.followed:
            found, plan = self._recommended(quiet=True)
            best = rate_search.searched(
                found.pipeline, float(_training(plan).settings[rate_search.SETTING]), self.trials, self.file, as_json=self.as_json
            )
            if isinstance(best, int):
                return best
            self._follow(best)
        while True:
            found, plan = self._recommended(quiet=True)
            outcome = self.session.carry_out(plan, Namespace(json=self.as_json, no_serve=True))
            if outcome.state == "done" and outcome.error is None:
                self.history.begin({})
                self._tell_result(found, plan, outcome, served=serve)
                return self._serve(found).exit_status if serve else outcome.exit_status
            failure = failure_of(outcome, {step.name: step.group for step in plan.steps})
            following = failure and remedy(failure, found, _in_force(plan, outcome), self.history.followed)
            if not following:
                return outcome.exit_status
            self._follow(following)

    def _follow(self, remedy: Remedy) -> None:
        self.history.follow(remedy)
        self._tell({"auto": "remedy", "rule": remedy.rule, "why": remedy.why}, f"\n{remedy.shown}")

    def _serve(self, found: Recommendation) -> RunOutcome:
        """Keep the server up that the pipeline ends with, until it is stopped; nothing where it has none."""
        plan = self._plan(found, load_test=False)
        return self.session.carry_out(plan, Namespace(json=self.as_json, no_serve=False))

    def _recommended(self, *, quiet: bool = False) -> tuple[Recommendation, Plan]:
        found, wanted = self._found()
        plan = self._plan(found, load_test=self.load_test)
        self.history.write(self.file, pipeline_file(found, wanted))
        if not quiet:
            self._tell({"auto": "recommended", **found.to_json()}, page(found, wanted) + "\n")
            for remark in self._differing(found, wanted):
                self._tell({"auto": "remark", "remark": remark}, f"! {translated(remark)}")
            for one in self.history.remedies:
                self._tell({"auto": "tried before", "rule": one.rule, "why": one.why}, _("tried before: {remedy}", remedy=one.shown))
        return found, plan

    def _differing(self, found: Recommendation, wanted: Wanted) -> Iterator[str]:
        """Where the sentence and what came of it differ."""
        if self.request:
            from tunesmith_ask.api import differing

            yield from differing(self.request, wanted.data, found.pipeline)

    def _found(self) -> tuple[Recommendation, Wanted]:
        """What is recommended; what was begun with before, as long as the rows are what they were."""
        wishes, noted, named = self.history.wishes(self.wishes), self.history.found, named_from(self.folder, self.data)
        if noted:
            facts = facts_of(self.folder / named, wishes.columns)
            if facts == noted["facts"]:
                wanted = Wanted(str(named), facts, wishes.goal, wishes.task, wishes.budget, wishes.columns or facts["renaming"])
                return Recommendation.from_note(noted["recommendation"]), wanted
        with stages() as tell:
            found, wanted = recommended(named, wishes, base=self.folder, tell=tell)
        self.history.begin({"facts": wanted.data, "recommendation": dataclasses.asdict(found)})
        return found, wanted

    def _plan(self, found: Recommendation, *, load_test: bool) -> Plan:
        """The plan, with the reasons of each choice and of what was tried before, which are kept with the run."""
        pipeline = with_load_test(self.session.registry, found.pipeline) if load_test else found.pipeline
        plan = self.session.plan(Pipeline(**pipeline, base=self.folder).spec)
        chosen = [Decision("", f"{choice.topic}: {written(choice.value)}", choice.reason) for choice in found.choices]
        before = [Decision("", f"auto: {one.rule}", one.text) for one in self.history.remedies]
        return dataclasses.replace(plan, decisions=(*plan.decisions, *chosen, *before))

    def _tell_result(self, found: Recommendation, plan: Plan, outcome: RunOutcome, *, served: bool) -> None:
        report = outcome.directory / "report.html"
        told = {
            "auto": "done", "model": found.pipeline["model"], "gates": [gate.text for gate in outcome.gates],
            "metrics": outcome.metrics, "remedies": [one.text for one in self.history.remedies],
            "report": str(report) if report.exists() else "", "file": str(self.file),
        }  # fmt: skip
        rows = [(_("held"), translated(gate.text)) for gate in outcome.gates]
        rows += [*_loads(plan, outcome)]
        rows += [(_("remedy"), one.shown) for one in self.history.remedies]
        rows += [(_("report"), str(report))] if report.exists() else []
        rows += [
            (
                _("again"),
                _("{command}: what is done comes from the cache, and it is served", command=f"tunesmith run{file_argument(self.file)}"),
            )
        ]
        rows += [(_("talk"), _("tunesmith chat, in another terminal"))] if served else []
        self._tell(told, "\n" + columns(rows))

    def _tell(self, event: Mapping[str, Any], text: str) -> None:
        print(safe_json(event) if self.as_json else safe(text), flush=True)


def _training(plan: Plan) -> PlannedStep:
    return next(step for step in plan.steps if step.name == rate_search.STEP)


def _in_force(plan: Plan, outcome: RunOutcome) -> Mapping[str, Any]:
    """Settings that the step which trains was carried out with: within the run a remedy may have given it others than were asked for."""
    step = outcome.steps.get(rate_search.STEP)
    made = step.artifact.producer.get("step", {}) if step and step.artifact else {}
    return {**_training(plan).settings, **made}


def _loads(plan: Plan, outcome: RunOutcome) -> Iterator[tuple[str, str]]:
    """What the load test measured."""
    for step in plan.steps:
        if step.group == LOAD and (measured := outcome.metrics.get(step.name)):
            yield _("load"), ", ".join(f"{name} {value:.4g}" for name, value in measured.items() if not name.startswith(("p90", "p95")))
