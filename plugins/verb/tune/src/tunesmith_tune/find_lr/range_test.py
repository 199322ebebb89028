"""The short training of a range test: the pipeline's own step, with a rate that rises by the same factor at each of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.running.reporter import Silent
from tunesmith_cli.api import Session, override
from tunesmith_tune.find_lr.suggestion import has_diverged

if TYPE_CHECKING:
    from tunesmith.running.runner import Runner

RATE = "learning_rate"
LOSS = "loss"
SCHEDULE = "lr_range_test"  #: by which the rate rises
_NEEDED = (RATE, "lr_scheduler_type", "max_steps", "logging_steps")


@dataclass
class RangeTest(Silent):
    """What was measured, filled in while the step runs."""

    step: str
    rates: dict[int, float] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)
    runner: Runner | None = None

    def metric(self, step: str, name: str, value: float, at: int) -> None:
        if step == self.step and name in (RATE, LOSS):
            (self.rates if name == RATE else self.losses)[at] = value
            if name == LOSS and has_diverged([self.losses[one] for one in sorted(self.losses)]) and self.runner:
                self.runner.cancel()

    def step_started(self, step: PlannedStep, attempt: int) -> None:
        if step.name == self.step and attempt > 1 and self.runner:
            self.runner.cancel()  # it has diverged, and would be tried with a lower rate

    @property
    def points(self) -> list[tuple[float, float]]:
        """(rate, loss) in the order of the steps."""
        return [(self.rates[at], self.losses[at]) for at in sorted(self.losses) if at in self.rates]


def range_test(session: Session, spec: PipelineSpec, step: str, highest: float, steps: int) -> RangeTest:
    """Run it. Its run is one aside, which `tunesmith runs list --all` shows.

    Args:
        step: empty: the only one that has a learning rate.
        highest: rate at the end; the first is a hundred-thousandth of it.
        steps: optimizer steps.

    Raises:
        UserError: TS-TUNE-009 where no step, or not one alone, has a rate that can rise.
        TunesmithError: with which the run failed before anything was measured.
    """
    from tunesmith.running.runner import Runner

    with session.resolver() as resolve:
        name = _step(session.planned(spec, resolve), step)
        changes = {RATE: highest, "lr_scheduler_type": SCHEDULE, "max_steps": steps, "logging_steps": 1}
        changed = override(_alone(spec, name), [f"steps.{name}.settings.{key}={value}" for key, value in changes.items()])
        plan = session.planned(changed, resolve)
    found = RangeTest(name)
    found.runner = runner = Runner(plan, session.registry, session.config, reporter=found, keep_serving=False, aside=True)
    outcome = runner.run()
    if len(found.points) < 2:
        raise outcome.error or TunesmithError("TS-TUNE-009", "nothing was measured while the rate rose", fix="See `tunesmith runs logs`.")
    return found


def _step(plan: Plan, wanted: str) -> str:
    rising = [step.group for step in plan.steps if _can_rise(step)]
    if wanted in rising:
        return wanted
    if wanted or len(rising) != 1:
        why = f"{', '.join(rising) or 'None'} {'have' if len(rising) > 1 else 'has'} a learning rate that can rise."
        raise UserError("TS-TUNE-009", f"--find-lr {wanted}".strip() + " names no step to test", why=why, fix=did_you_mean(wanted, rising))
    return rising[0]


def _can_rise(step: PlannedStep) -> bool:
    schedules = step.verb.schema.get("properties", {}).get("lr_scheduler_type", {}).get("enum", ())
    return SCHEDULE in schedules and all(name in step.settings for name in _NEEDED)


def _alone(spec: PipelineSpec, name: str) -> PipelineSpec:
    """The pipeline with a step and what it needs, without its gate."""
    kept, waiting = {name}, [name]
    while waiting:
        for word in _words(spec.steps[waiting.pop()]):
            if word in spec.steps and word not in kept:
                kept.add(word)
                waiting.append(word)
    steps = {key: dict(step) for key, step in spec.steps.items() if key in kept}
    steps[name].pop("gate", None)
    return replace(spec, steps=steps)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _words(item)
