"""The plan of a run as JSON beside its logs, so that the run can go on without anybody repeating how it began."""

from __future__ import annotations

import typing
from pathlib import Path

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.planning.dataclass_json import build, plain
from tunesmith.planning.plan import Plan

FILE = "plan.json"


def write_plan(plan: Plan, directory: Path) -> None:
    write_note(directory / FILE, plain(plan))


def read_plan(directory: Path) -> Plan:
    """The inverse of `write_plan`.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not there, is not what was written, or is of another version.
    """
    found = read_note(directory / FILE)
    if found is None:
        raise ValueError(f"{directory / FILE} is not what was written, or not there")
    return typing.cast(Plan, build(Plan, found))
