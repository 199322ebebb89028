"""From a pipeline to a plan, and from a plan to a run: what `plan`, `run`, `resume` and the single steps share."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith import session
from tunesmith.config import PIPELINE_FILE
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.untrusted_text import safe, safe_json

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.device_backend import Device
    from tunesmith.planning.inputs.input_readers import HostPlanner
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.planning.plan import Plan
    from tunesmith.running.model_resolver import ModelResolver
    from tunesmith.running.outcome import RunOutcome

DEFAULT_FILE = PIPELINE_FILE


class Session(session.Session):
    """What a command works with."""

    def plan(
        self, spec: PipelineSpec, strict: bool = False, refresh: bool = False, devices: Mapping[str, Sequence[Device]] | None = None
    ) -> Plan:
        """The plan of a pipeline, on other `devices` than this machine's where they are given. What takes its time (asking what a model's
        name means) is told on stderr."""
        with self.resolver(refresh) as resolve:
            return self.planned(spec, resolve, strict, devices)

    @contextmanager
    def resolver(self, refresh: bool = False) -> Iterator[ModelResolver]:
        """What tells what a model URI names, and shows its progress."""
        from tunesmith.running.model_resolver import ModelResolver
        from tunesmith_cli.display import reporting

        with reporting(stream=sys.stderr) as reporter:
            yield ModelResolver(self.registry, self.config, refresh=refresh, reporter=reporter)

    @contextmanager
    def reading(self) -> Iterator[HostPlanner]:
        """What an input reader may know and ask; what takes its time is told on stderr."""
        from tunesmith_cli.display import reporting

        with reporting(stream=sys.stderr) as reporter:
            yield self.planner(reporter=reporter)

    def show(self, plan: Plan, as_json: bool, *, here: bool = True) -> None:
        """Print a plan.

        Args:
            here: whether it is one for this machine, whose disk has to have room for it.

        Raises:
            UserError: TS-PLAN-009 when there is no room for what it would write.
        """
        from tunesmith.running.steps.cached_results import lasted, standing
        from tunesmith.running.store.disk_space import check_room
        from tunesmith_cli.display.plan_page import plan_page

        if here:
            check_room(plan, self.config.home)
        cached, said = standing(plan, self.config.home)
        plan = dataclasses.replace(plan, decisions=(*plan.decisions, *said))
        seconds = lasted(plan, self.config.home) if here else {}
        where = {
            "home": str(self.config.home),
            "policies": [{"layer": policy.layer, "path": str(policy.path)} for policy in self.config.policies],
        }
        if as_json:
            from tunesmith_cli.display.plan_json import plan_json

            print(safe_json(plan_json(plan, cached, seconds) | where, 2))
            return
        print(safe(plan_page(plan, cached, seconds)))
        print(safe(translated(f"    home: {self.config.home}")))
        for policy in self.config.policies:
            print(safe(translated(f"    policy ({policy.layer}): {policy.path}")))

    def carry_out(self, plan: Plan, args: Namespace, resume: str | None = None) -> RunOutcome:
        """Run a plan, or go on with a run, and show how it goes; an error is shown, too."""
        from tunesmith.running.runner import Runner
        from tunesmith_cli.display import reporting
        from tunesmith_cli.errors import complain

        with reporting(args.json) as reporter:
            runner = Runner(
                plan, self.registry, self.config, reporter=reporter, keep_serving=not getattr(args, "no_serve", False),
                refresh=getattr(args, "refresh", False), jobs=getattr(args, "jobs", None),
            )  # fmt: skip
            outcome = runner.run(resume)
        if outcome.error:
            failed = next((name for name, step in outcome.steps.items() if step.error is outcome.error), "")
            complain(outcome.error, args.json, failed)
        elif not args.json:
            _show_tokens(plan, outcome)
        return outcome


def _show_tokens(plan: Plan, outcome: RunOutcome) -> None:
    """Rows as tokens are made to be read: what a step made of that format is shown."""
    from tunesmith_cli.display.token_page import TOKENS_FILE, TOKENS_FORMAT, token_page

    for step in plan.steps:
        if step.format == TOKENS_FORMAT and step.name in outcome.artifacts:
            from tunesmith_cli.errors import colored

            *rows, total = map(json.loads, (outcome.artifacts[step.name].path / TOKENS_FILE).read_text(encoding="utf-8").splitlines())
            print("\n" + token_page(rows, total, colours=colored(sys.stdout)))


def add_run_options(parser: ArgumentParser, serving: bool = True) -> None:
    """Options of everything that runs a plan."""
    group = parser.add_argument_group("running")
    if serving:
        group.add_argument("--no-serve", action="store_true", help="don't keep serving at the end")
    group.add_argument("--jobs", type=_jobs, metavar="N", help="steps at a time; 0: as memory, devices and cores allow")
    group.add_argument("--refresh", action="store_true", help="run every step again, even if it is done; ask anew what model names mean")
    group.add_argument("--offline", action="store_true", help="environments are made of wheel folders and caches, not of the network")
    group.add_argument("--json", action="store_true", help="print events as lines of JSON")


def _jobs(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"a whole number from 0 belongs here, got {text!r}")
    return int(text)


def add_judgement(group: Any) -> None:
    """Options that say where steps run, and what a plan is to be refused for."""
    group.add_argument("--executor", metavar="NAME", help="where steps run that don't say so themselves (`local`: here)")
    group.add_argument("--strict", action="store_true", help="refuse what can't be known beforehand, instead of warning")
    group.add_argument("--ignore-estimates", action="store_true", help="refuse nothing because an estimate of memory or disk is too large")


def as_asked(spec: PipelineSpec, args: Namespace) -> PipelineSpec:
    """The pipeline with what the command's options say of it."""
    where = spec.executor if args.executor is None else args.executor
    return replace(spec, executor=where, ignore_estimates=spec.ignore_estimates or args.ignore_estimates)
