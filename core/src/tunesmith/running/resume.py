"""Going on with a run that was interrupted, failed or cancelled: its plan is taken up, not made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tunesmith.errors import UserError
from tunesmith.planning.plan import Plan
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.journal import run_directories as runs
from tunesmith.running.journal.journal import FILE, Journal


class _Providers(Protocol):
    def provider(self, kind: str, name: str) -> ProviderRecord: ...


def find_run(home: Path, run: str | None = None) -> tuple[str, Plan]:
    """The id and the plan of a run to go on with; without a name, of the last one that did not finish.

    Raises:
        UserError: TS-RUN-021 no such run.
        TunesmithError: TS-RUN-022 its plan can't be read.
    """
    if not (home / FILE).is_file():  # opening it would make it, and the home
        raise UserError("TS-RUN-021", f"Nothing was ever run in {home}, so there is no run to go on with", fix="Start one: tunesmith run")
    journal = Journal(home)
    try:
        runs.mark_interrupted(journal, home)
        row = runs.find(journal, run)
    finally:
        journal.close()
    return row.id, runs.stored_plan(home, row.id)


def check_providers(run: str, plan: Plan, registry: _Providers) -> None:
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
