"""All that is looked for in the rows of a file that a format reads, by their texts or by the tokens of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider, Planner
from tunesmith.contracts.untrusted_files import unreadable
from tunesmith.errors import UserError
from tunesmith_data.audit.contamination import findings as contamination
from tunesmith_data.audit.finding import Finding
from tunesmith_data.audit.rows import one_label
from tunesmith_data.audit.tokens import by_tokens
from tunesmith_data.audit.worker import RowFindings, row_findings
from tunesmith_data.formats.detection import put_rows
from tunesmith_data.line import NotRows
from tunesmith_data.rows_file import read_file
from tunesmith_data.shape.rows import FILTER

PAIRS = "dataset/preference"
COUNTED = 100_000  # rows of which tokens are counted, from the first on


class Audit:
    """What speaks against training on a file though its rows can be used.

    Args:
        record: the file's dataset format.
        columns: see `read_file`.
        labels: what the rows are examples of -> how many are.
        validation: another file, whose prompts should not be the data's; None: there is none.
        against: a file for evaluation, whose rows should not be among the data's; None: there is none. `against_filter`: of its rows.
        tokens: whether `by_tokens` will be asked for.
    """

    def __init__(
        self, planner: Planner, path: Path, record: InstalledProvider, columns: Mapping[str, str], labels: Mapping[str, int], *,
        validation: Path | None = None, against: Path | None = None, against_filter: str = "", tokens: bool = False,
    ) -> None:  # fmt: skip
        """
        Raises:
            TunesmithError: for a file for validation that can't be read or has no rows; TS-DATA-048 where the format crashes.
        """
        if validation:
            _look_into(validation)
        filters = {"filter": against_filter, "training_filter": columns.get(FILTER, "")}
        self._against = contamination(against, path, **filters) if against else ()
        # Of other rows nothing is told by their texts alone: no worker is started for them.
        useful = validation or tokens or PAIRS in record.produces
        self.rows = row_findings(planner, record, path, columns, validation) if useful else RowFindings((), ())
        self._labels = [one_label(labels)] if labels else []

    @property
    def by_characters(self) -> tuple[Finding, ...]:
        return (*self.rows.findings, *self._labels, *self._against)

    def by_tokens(self, counts: Sequence[Mapping[str, Any]], max_length: int) -> tuple[Finding, ...]:
        """What is found by a model's tokens in the place of characters where both tell it."""
        told = tuple(by_tokens(counts, max_length, self.rows.lines))
        names = {finding.name for finding in told}
        return (*told, *(finding for finding in self.by_characters if finding.name not in names))


def _look_into(path: Path) -> None:
    try:
        if not any(line.row for line in read_file(path)):
            raise UserError("TS-DATA-002", f"{path} has no rows", fix=put_rows(path))
    except NotRows as error:
        raise UserError("TS-DATA-006", f"{path} can't be read as rows: {error}", fix=error.fix) from None
    except OSError as error:
        raise unreadable(path, str(path), error) from error
