"""From a pipeline to a plan, and from a plan to a run: what `plan`, `run`, `resume` and the single steps share."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.config import Config, load_config
from tunesmith.plugins.registry import Registry, load_registry

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan
    from tunesmith.planning.spec import PipelineSpec
    from tunesmith.running.outcome import RunOutcome
    from tunesmith.running.resolver import Resolver

DEFAULT_FILE = "tunesmith.yaml"


@dataclass(frozen=True)
class Session:
    """The configuration and the plugins that a command works with."""

    config: Config
    registry: Registry

    @classmethod
    def open(cls, project: Path | None = None) -> Session:
        """
        Args:
            project: the pipeline's directory, whose policy holds. The home is the current directory's, so that commands
                typed one after the other share one.

        Raises:
            Problems: what is wrong in the configuration files, for nothing may run under a policy that can't be read.
        """
        config = load_config()
        if project is not None:
            config = load_config(project, config.home)
        config.check()
        return cls(config, load_registry(config))

    def plan(self, spec: PipelineSpec, strict: bool = False, refresh: bool = False) -> Plan:
        """The plan of a pipeline. What takes its time (asking what a model's name means) is told on stderr.

        Raises:
            Problems: all that is wrong with the pipeline.
            UserError: TS-PLUGIN-022, TS-PLUGIN-023 when a plugin that the configuration requires is not at work.
        """
        from tunesmith.planning.devices import probe
        from tunesmith.planning.memory import FileMemory
        from tunesmith.planning.planner import make_plan
        from tunesmith.plugins.required import check_required
        from tunesmith.running.digests import FileDigests
        from tunesmith.running.environments import environments_of

        check_required(self.config.required, self.registry.plugins)
        with self.resolver(refresh) as resolve:
            return make_plan(
                spec, self.registry, resolve=resolve, devices=probe(self.registry), strict=strict, digest_of=FileDigests(self.config),
                memory=FileMemory(self.config.cache / "data-files.json"), preferences=self.config.environments.plugins,
                locks=lambda: environments_of(self.config),
            )  # fmt: skip

    @contextmanager
    def resolver(self, refresh: bool = False) -> Iterator[Resolver]:
        """What tells what a model URI names, and shows its progress."""
        from tunesmith.cli.reporting import reporting
        from tunesmith.running.resolver import Resolver

        with reporting(stream=sys.stderr) as reporter:
            yield Resolver(self.registry, self.config, refresh=refresh, reporter=reporter)

    def show(self, plan: Plan, as_json: bool) -> None:
        """Print a plan.

        Raises:
            UserError: TS-PLAN-009 when there is no room for what it would write.
        """
        from tunesmith.planning.render import plan_json, plan_text
        from tunesmith.running.caching import cached_steps
        from tunesmith.running.room import check_room

        check_room(plan, self.config.home)
        cached = cached_steps(plan, self.config.home)
        print(json.dumps(plan_json(plan, cached), indent=2, ensure_ascii=False) if as_json else plan_text(plan, cached))

    def carry_out(self, plan: Plan, args: Namespace, resume: str | None = None) -> RunOutcome:
        """Run a plan, or go on with a run, and show how it goes; an error is shown, too."""
        from tunesmith.cli.complaints import complain
        from tunesmith.cli.reporting import reporting
        from tunesmith.running.runner import Runner

        with reporting(args.json) as reporter:
            runner = Runner(
                plan, self.registry, self.config, reporter=reporter, keep_serving=not getattr(args, "no_serve", False),
                refresh=getattr(args, "refresh", False),
            )  # fmt: skip
            outcome = runner.run(resume)
        if outcome.error:
            failed = next((name for name, step in outcome.steps.items() if step.error is outcome.error), "")
            complain(outcome.error, args.json, failed)
        return outcome


def add_run_options(parser: ArgumentParser, serving: bool = True) -> None:
    """Options of everything that runs a plan."""
    group = parser.add_argument_group("running")
    if serving:
        group.add_argument("--no-serve", action="store_true", help="don't keep serving at the end")
    group.add_argument("--refresh", action="store_true", help="run every step again, even if it is done; ask anew what model names mean")
    group.add_argument("--offline", action="store_true", help="environments are made of wheel folders and uv's cache, not of the network")
    group.add_argument("--json", action="store_true", help="print events as lines of JSON")


def add_strict(group: Any) -> None:
    group.add_argument("--strict", action="store_true", help="refuse what can't be known beforehand, instead of warning")
