"""`tunesmith resume`: go on with a run from where it was. Its plan is taken up, not made anew."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith_cli.command import Command
from tunesmith_cli.launch import Session, add_run_options

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of the run, or its beginning (default: the last unfinished one)")
    add_run_options(parser)


def run(args: Namespace) -> int:
    from tunesmith.config import find_home

    name, plan = find_run(find_home(), args.run)
    session = Session.open(plan.path or plan.base)
    check_providers(name, plan, session.registry)
    plan = _with_passwords(plan, session)
    return session.carry_out(plan, args, resume=name).exit_status


def _with_passwords(plan: Plan, session: Session) -> Plan:
    """The plan with the passwords of those who listen as pipeline and configuration say them now; a file that is gone says none."""
    from tunesmith.planning.listeners import read_listeners, with_passwords
    from tunesmith.planning.pipeline.spec import PipelineSpec, load_pipeline
    from tunesmith.planning.problems import Notes

    if not plan.listeners:
        return plan
    try:
        spec = load_pipeline(plan.path) if plan.path else PipelineSpec(plan.name, "", {}, plan.base)
    except UserError:
        spec = PipelineSpec(plan.name, "", {}, plan.base)
    said = read_listeners(spec, session.registry, Notes(), session.config.pipelines)
    return replace(plan, listeners=with_passwords(plan.listeners, said))


def find_run(home: Path, run: str | None = None) -> tuple[str, Plan]:
    """The id and the plan of a run to go on with; without a name, of the last one that did not finish.

    Raises:
        UserError: TS-RUN-021 no such run.
        TunesmithError: TS-RUN-022 its plan can't be read.
    """
    from tunesmith.running.journal import run_directories as runs
    from tunesmith.running.journal.journal import FILE, Journal

    if not (home / FILE).is_file():  # opening it would make it, and the home
        raise UserError("TS-RUN-021", f"Nothing was ever run in {home}, so there is no run to go on with", fix="Start one: tunesmith run")
    journal = Journal(home)
    try:
        runs.mark_interrupted(journal, home)
        row = runs.find(journal, run)
    finally:
        journal.close()
    return row.id, runs.stored_plan(home, row.id)


def check_providers(run: str, plan: Plan, registry: Registry) -> None:
    """Whether the providers that a run was planned with are still those that it would go on with.

    Raises:
        UserError: TS-RUN-024 when a plugin that it uses has changed since.
        TunesmithError: what the registry says of a plugin that is gone or denied.
    """
    for record in _records(plan):
        now = registry.provider(record.kind, record.name)
        if (now.distribution, now.version) != (record.distribution, record.version):
            raise UserError(
                "TS-RUN-024",
                f"Run {run} was planned with {record.distribution} {record.version}; here is now {now.distribution} {now.version}",
                why="The rest of the run would be made by other code than its beginning.",
                fix="Run the pipeline again: `tunesmith run`. What has not changed is taken from the store.",
            )  # fmt: skip


def _records(plan: Plan) -> list[ProviderRecord]:
    found = {}
    for step in plan.steps:
        for record in (step.verb, *(choice.record for choice in step.choices.values())):
            found[record.kind, record.name] = record
    return list(found.values())


COMMAND = Command(
    "resume", "go on with a run that was stopped or killed", configure, run,
    (
        ("the last run that did not finish", "tunesmith resume"),
        ("a certain one; `tunesmith runs list` has their names", "tunesmith resume 20260131-0930"),
    ),
)  # fmt: skip
