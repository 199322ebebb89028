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
from tunesmith_data.named.fetched import looks_like_a_name, rows_of, unknown_name
from tunesmith_data.named.table import named_datasets
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
    sources = planner.installed(SOURCE)
    record, path = source_of(text, sources, planner.base), path_of(text, planner.base)
    if record is not None:
        return Local(_brought(text, record, planner, most))
    if path.exists() or not looks_like_a_name(text):
        return Local(path)
    known = named_datasets(sources.values(), planner.base)
    if (dataset := known.get(text)) is None:
        if error := unknown_name(text, known):
            raise error
        return Local(path)

    def bring(address: str) -> Path:
        source = source_of(address, sources, planner.base)
        assert source is not None, "an address has a scheme"
        return _brought(address, source, planner, most)

    return Local(rows_of(dataset, planner.base, bring), dataset.columns)


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
