"""Rows as a command is given them: a file, a directory, or an address of a dataset source."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_data.sources.address import is_address

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.input_reader import Planner
    from tunesmith_cli.api import Session

ROWS = "rows: a file, a directory, or an address such as hf://datasets/OWNER/NAME"


def named_rows(text: str) -> str:
    """Type of an argument that names rows: any word but the empty one, which is no directory."""
    if not text:
        raise ArgumentTypeError("is empty; it should be a path or an address")
    return text


def session_for(*texts: str | None) -> Session:
    """A session under the policies of the projects in which the files lie."""
    from tunesmith_cli.api import Session

    return Session.open(beside=[Path(text) for text in texts if text and not is_address(text)])


def rows_of(args: Namespace, planner: Planner) -> tuple[Path, Mapping[str, str]]:
    """The file of rows that `args.file` names, and its columns: those given, else those known of it.

    Raises:
        TunesmithError: why they can't be had.
    """
    from tunesmith_cli.api import columns_given
    from tunesmith_data.sources.fetched import local

    found = local(args.file, planner)
    return found.path, columns_given(args) or dict(found.columns)


def path_of_rows(text: str | None, planner: Planner) -> Path | None:
    """The same of rows that are compared with; None where there are none."""
    from tunesmith_data.sources.fetched import local

    return local(text, planner).path if text else None
