"""`tunesmith download URI`: a model in the store, and nothing more."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.command import Command
from tunesmith.cli.launching import Session, add_run_options
from tunesmith.cli.output import check_output, write_output

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan


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
    plan = plan_download(session, args.uri, args.refresh)
    if args.plan:
        session.show(plan, args.json)
        return 0
    outcome = session.carry_out(plan, args)
    if args.output and not outcome.exit_status:
        write_output(outcome, plan, plan.outputs[0], args.output, args.json)
    return outcome.exit_status


def plan_download(session: Session, uri: str, refresh: bool = False) -> Plan:
    """A plan of the one step that every pipeline with this model begins with, so that they share what it brings.

    Raises:
        Problems: why the model can't be had.
    """
    from tunesmith.planning.choices import Chooser
    from tunesmith.planning.environments import Environments
    from tunesmith.planning.notes import Notes
    from tunesmith.planning.origins import Origins
    from tunesmith.planning.plan import Plan
    from tunesmith.planning.spec import PipelineSpec
    from tunesmith.running.digests import FileDigests

    notes = Notes()
    spec = PipelineSpec("download", uri, {}, Path.cwd())
    chooser = Chooser(spec, session.registry, notes)
    with session.resolver(refresh) as resolve:
        origins = Origins(spec, chooser, notes, resolve, FileDigests(session.config), {})
        origins.model()
    notes.raise_problems()
    environments = Environments(chooser)
    steps = tuple(environments.placed(replace(step, inserted=False)) for step in origins.steps)
    return Plan(spec.name, None, steps, decisions=tuple(notes.decisions), outputs=tuple(step.name for step in steps))
