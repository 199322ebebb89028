"""What stands where a file is meant, as a file of this machine: an address or a directory is brought by its source, a name looked up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.kinds.input_reader import InstalledProvider, Planner, Question, WorkerDied
from tunesmith.contracts.untrusted_files import path_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data import SOURCE
from tunesmith_data.digest import digest_of
from tunesmith_data.sources.address import source_of

MOST = 1 << 30  #: bytes that a plan fetches by itself


class Local(NamedTuple):
    """
    Args:
        path: of the file of rows.
        columns: name that a format wants -> name that the column has in the file, as is known of a named dataset.
    """

    path: Path
    columns: Mapping[str, str] = {}


def local(text: str, planner: Planner, *, most: int = MOST) -> Local:
    """Where the rows lie that a user calls `text`; its own path where it is one.

    Args:
        most: bytes that are fetched; 0: without a bound.

    Raises:
        TunesmithError: why they can't be had.
    """
    record = source_of(text, planner.installed(SOURCE), planner.base)
    return Local(path_of(text, planner.base)) if record is None else Local(_brought(text, record, planner, most))


def _brought(text: str, record: InstalledProvider, planner: Planner, most: int) -> Path:
    key = "source " + digest_of([text, str(planner.base) if record.facts.get("volatile") else "", record.identity])
    known: Any = None if record.facts.get("volatile") else planner.memory.get(key)
    if isinstance(known, Mapping) and Path(str(known.get("path"))).is_file():
        return Path(str(known["path"]))
    settings = {"address": text, "base": str(planner.base.absolute()), "most": most}
    question = Question("tunesmith_data.sources.worker:run", record, {}, "tunesmith_data.settings:SourceSettings", settings)
    try:
        meta = planner.ask(question)
    except WorkerDied as error:
        raise TunesmithError("TS-DATA-089", f"the dataset source `{record.name}` crashed over {text}", why=str(error),
                             fix=f"Tell the author of {record.distribution}.") from None  # fmt: skip
    if meta is None:
        raise UserError("TS-DATA-089", f"{text} can't be fetched while planning", why=f"`{record.name}` works in an isolated environment.",
                        fix="Fetch the rows as a file, and name that.")  # fmt: skip
    planner.memory[key] = {"path": meta["path"], "revision": meta["revision"]}
    return Path(str(meta["path"]))
