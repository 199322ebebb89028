"""Contract of kind ``dataset_source``: an address that is no file of rows on this machine -> files of rows on this machine.

Facts: ``schemes``: those of its addresses (``acme`` for ``acme://...``); one with a ``+`` is asked for before the part in front of it.
``folders``: true where it reads directories, whose address is their path. ``volatile``: true where what an address means may change at any
time, so that each plan asks; otherwise the answer is remembered until ``--refresh``. ``datasets``: ``package:file``, a JSON
file in the package that gives datasets names (docs/named-datasets.md shows one); addresses of other sources may stand in it, too.

A source works in a worker while a pipeline is planned: rows are checked before anything is computed. What it fetches lies in the cache
below ``datasets``, which can be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tunesmith.contracts.step import Step


@dataclass(frozen=True)
class FoundDataset:
    """What an address names.

    Args:
        label: what it may be called, as part of a file's name.
        files: name, with ``/`` where it lies in a folder -> bytes; 0 where that is not known beforehand.
        rows: those of them that hold rows, in their order; the others are named by these.
        revision: of what is there now: equal ones, equal rows. Empty: only the rows will tell (a query's).
        fetch: JSON values of the source's own, which `DatasetSource.fetch` reads.
    """

    label: str
    files: Mapping[str, int]
    rows: tuple[str, ...]
    revision: str = ""
    fetch: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(self.files.values())


class DatasetSource(Protocol):
    def find(self, address: str, base: Path, step: Step) -> FoundDataset:
        """What there is, for which as little as possible is fetched.

        Args:
            base: folder that relative paths in the address start from.

        Raises:
            UserError: with a code, and what to fetch and where to put it where the source can't be reached.
        """

    def fetch(self, found: FoundDataset, folder: Path, step: Step) -> None:
        """Put all the files into an empty folder, whole and verified as far as the source tells what they must be.

        Raises:
            TunesmithError: why that can't be done.
        """
