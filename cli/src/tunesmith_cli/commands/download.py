"""`tunesmith download URI`: a model in the store, and nothing more."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_cli.command import Command
from tunesmith_cli.launch import Session, add_run_options
from tunesmith_cli.options.output import check_output, write_output

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.model_loader import ModelInfo
    from tunesmith.planning.plan import Plan
    from tunesmith.plugins.registry import Registry


def command(summary: str) -> Command:
    """The command with the verb's own summary."""
    return Command("download", summary, configure, run, (
        ("bring it into the store, verified; pipelines with this URI then start at once", "tunesmith download hf://org/name@revision"),
        ("what would come, and how much of it?", "tunesmith download hf://org/name --plan"),
        ("a copy of the files", "tunesmith download file://path/to/model --output model"),
    ))  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="scheme://place[@revision], or a local directory")
    parser.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument("--output", type=Path, metavar="DIR", help="put a copy of the files there")
    add_run_options(parser, serving=False)


def run(args: Namespace) -> int:
    check_output(args.output)
    session = Session.open()
    with session.resolver(args.refresh) as resolve:
        plan = plan_model(args.uri, session.registry, resolve, base=Path.cwd())
    if args.plan:
        session.show(plan, args.json)
        return 0
    outcome = session.carry_out(plan, args)
    if args.output and not outcome.exit_status:
        write_output(outcome, plan, plan.outputs[0], args.output, args.json, session.config.home)
    return outcome.exit_status


def plan_model(uri: str, registry: Registry, resolve: Callable[[str], ModelInfo], *, base: Path, name: str = "download") -> Plan:
    """A plan of nothing but a model: the step that every pipeline with this model begins with, so that they share what it brings.

    Args:
        resolve: what a model URI names.
        base: directory that relative paths start from.

    Raises:
        Problems: why it can't be had.
    """
    from tunesmith.planning.inputs.model_source import ModelOrigin
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.planning.plan import Plan
    from tunesmith.planning.problems import Notes
    from tunesmith.planning.providers.lookup import ProviderLookup

    notes = Notes()
    spec = PipelineSpec(name, uri, {}, base)
    lookup = ProviderLookup(spec, registry, notes)
    origin = ModelOrigin(spec, lookup, notes, resolve)
    product = origin.product
    notes.raise_problems()
    assert product is not None
    assert origin.step is not None
    step = lookup.environments.placed(replace(origin.step, inserted=False))
    return Plan(name, None, (step,), warnings=tuple(notes.warnings), outputs=(step.name,))
