"""What a run says in words, whatever it is shown on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts.artifacts import role_of
from tunesmith.contracts.events import RunFacts
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.outcome import GateOutcome, RunOutcome, StepOutcome, can_go_on, report_of
from tunesmith.running.reporter import Silent
from tunesmith_cli.display import summary
from tunesmith_cli.display.number_format import duration, number, size
from tunesmith_cli.translation.catalogs import gettext, translated

DIM, BOLD, GOOD, BAD, WARN = "dim", "bold", "green", "bold red", "yellow"
_RATE = "_per_second"


class Narrator(Silent, ABC):
    """Turns what it is told into lines. A subclass says how a line is shown (`say`), and draws progress if it can.

    Args:
        clock: seconds, for how long things took.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.plan: Plan | None = None
        self.run: RunFacts | None = None
        self.outcomes: dict[str, StepOutcome] = {}
        self.gates: list[GateOutcome] = []
        self.latest: dict[str, dict[str, float]] = {}  # step -> the last point of each of its series
        self._began = clock()
        self._decided: list[Decision] = []
        self._summed_up = False

    @abstractmethod
    def say(self, text: str, style: str = "") -> None:
        """Show a line, in `style` where that can be done."""

    def close(self) -> None:
        """Nothing more will be said."""

    # --- the run -----------------------------------------------------------------------------------------------------------------

    def run_started(self, run: RunFacts, plan: Plan, resumed: bool) -> None:
        self.run, self.plan, self._began = run, plan, self.clock()
        told = {"name": plan.name, "steps": translated(summary.steps(len(plan.steps))), "id": run.id}
        again, anew = gettext("{name}: {steps}, run {id} goes on", **told), gettext("{name}: {steps}, run {id}", **told)
        self.say(again if resumed else anew, BOLD)
        self.say(f"  home: {run.directory.parent.parent}", DIM)
        for warning in plan.warnings:
            self.say(f"  warning: {warning}", WARN)
        self._explain("")

    def _explain(self, step: str) -> None:
        """What the plan decided about a step that now runs; of one that is done already there is nothing to explain."""
        for decision in self.plan.decisions if self.plan else ():
            if decision.step == step:
                self.decision(decision)

    def run_finished(self, outcome: RunOutcome) -> None:
        if self._summed_up:
            self.say("stopped serving", DIM)
        else:
            self._sum_up(outcome.state, outcome.error)

    def _sum_up(self, state: str, error: TunesmithError | None = None) -> None:
        assert self.plan is not None
        assert self.run is not None
        self._summed_up = True
        cached = sum(outcome.cached for outcome in self.outcomes.values())
        counted = f"{summary.steps(len(self.outcomes))}" + (f", {cached} from the cache" if cached else "")
        self.say("")
        self.say(f"{state} in {duration(self.clock() - self._began)}: {counted}", {"done": GOOD, "failed": BAD}.get(state, WARN))
        for line in summary.metric_lines(self.plan, self.outcomes):
            self.say("  " + line)
        for name, path in summary.artifact_lines(self.plan, self.outcomes):
            self.say(f"  {name}: {path}")
        if report := report_of(self.run.directory):
            self.say(f"  report: {report}")
        if can_go_on(state, error):
            self.say(f"  to go on: tunesmith resume {self.run.id}")

    # --- steps -------------------------------------------------------------------------------------------------------------------

    def environment_started(self, name: str) -> None:
        self.say(f"> {name}: built once, kept for other runs", DIM)

    def environment_ready(self, name: str, key: str, disk: int, seconds: float) -> None:
        self.say(f"+ {name}: built in {duration(seconds)}, {size(disk)} ({key})", GOOD)

    def step_started(self, step: PlannedStep, attempt: int) -> None:
        told = {"step": step.name, "what": summary.what(step), "device": step.placement.device}
        again = gettext("> {step}: {what} on {device}, attempt {attempt}", attempt=attempt, **told)
        self.say(again if attempt > 1 else gettext("> {step}: {what} on {device}", **told), DIM)
        if attempt == 1:
            self._explain(step.name)

    def step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        self.outcomes[step.name] = outcome
        made = f", {size(outcome.size)}" if outcome.size else ""
        if outcome.state == "done" and step.verb.service:
            return  # `service_ready` and `service_stopped` tell of these
        if outcome.state == "done" and outcome.cached:
            self.say(f"= {step.name}: from the cache{made} (took {duration(outcome.seconds)} when it was made)", DIM)
        elif outcome.state == "done":
            self.say(f"+ {step.name}: done in {duration(outcome.seconds)}{made}", GOOD)
        elif outcome.state == "failed":
            self.say(f"x {step.name}: failed{f' ({outcome.error.code})' if outcome.error else ''}", BAD)
        else:
            self.say(f"- {step.name}: {outcome.state}", WARN)

    def log(self, step: str, level: str, message: str) -> None:
        if level == "notice":
            self.say(f"  {step + ': ' if step else ''}{message}")
        elif level in ("warning", "error"):
            self.say(f"  {step + ': ' if step else ''}{level}: {message}", WARN if level == "warning" else BAD)

    def metric(self, step: str, name: str, value: float, at: int) -> None:
        self.latest.setdefault(step, {})[name] = value

    def decision(self, decision: Decision) -> None:
        """What the plan has decided already a step need not say again."""
        if decision in self._decided:
            return
        self._decided.append(decision)
        told = gettext("{what} ({reason})", what=translated(decision.what), reason=translated(decision.reason.rstrip(".")))
        self.say(f"  {decision.step + ': ' if decision.step else ''}{told}", DIM)

    def gate_checked(self, gate: GateOutcome) -> None:
        self.gates.append(gate)
        self.say(f"{'+' if gate.passed else 'x'} gate of {gate.group}: {gate.text}", GOOD if gate.passed else BAD)

    def service_ready(self, step: PlannedStep, facts: Mapping[str, Any], foreground: bool) -> None:
        if not foreground:
            self.say(f"> {step.name}: answers at {facts.get('url')}", DIM)
            return
        self._sum_up("done")
        self.say("")
        self.say(f"{step.name}: {facts.get('model')} is served at {facts.get('url')}; Ctrl-C stops it", BOLD)
        if role := role_of(step.format):
            self.say(f"  its model has the role `{role}` and gives numbers, not words: docs/serving.md says how it is asked")
            return
        self.say("  ask it:  " + summary.chat_line(str(facts.get("url"))))
        self.say("  or:      " + summary.curl_line(facts))

    def series(self, step: str, *, brief: bool = False) -> str:
        """The step's latest points: of the first series it told (``loss 1.234``), of those that measure the same elsewhere
        (``held_out_loss``), and how fast it is (``tokens_per_second``). Nothing before there is one.

        Args:
            brief: of the first series alone.
        """
        found = self.latest.get(step, {})
        first = next(iter(found), "")
        if brief:
            return f"{first} {_short(found[first])}" if first else ""
        told = [f"{name.replace('_', ' ')} {_short(found[name])}" for name in found if name == first or name.endswith(f"_{first}")]
        return ", ".join(told + [f"{_short(found[name])} {name.removesuffix(_RATE)}/s" for name in found if name.endswith(_RATE)])


def _short(value: float) -> str:
    return number(float(f"{value:.4g}"))
