"""The plan of a run as JSON beside its logs, so that the run can go on without anybody repeating how it began."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.planning.dataclass_json import build, plain
from tunesmith.planning.plan import Plan
from tunesmith.planning.plan_text import without_passwords

FILE = "plan.json"


def write_plan(plan: Plan, directory: Path) -> None:
    """Without passwords: a run that goes on takes those of its listeners from where they were said."""
    listeners = tuple(dataclasses.replace(one, settings=without_passwords(one.settings)) for one in plan.listeners)
    write_note(directory / FILE, plain(dataclasses.replace(plan, listeners=listeners)))


def read_plan(directory: Path) -> Plan:
    """The inverse of `write_plan`.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not there, is not what was written, or is of another version.
    """
    if (found := read_note(directory / FILE)) is None:
        raise ValueError(f"{directory / FILE} is not what was written, or not there")
    return typing.cast(Plan, build(Plan, found))
