"""Two files held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.untrusted_files import unreadable
from tunesmith.errors import UserError
from tunesmith_data.contamination.overlap import EvaluationRows, Match
from tunesmith_data.line import NotRows
from tunesmith_data.rows_file import read_file
from tunesmith_data.shape.rows import shape_of


def compared(evaluation: Path, training: Path, *, filter: str = "", training_filter: str = "") -> tuple[list[Match], int]:
    """The rows for evaluation that are in the other file, and how many there are in all.

    Args:
        filter, training_filter: expressions that the rows of each fulfil; what they leave out is not looked at.

    Raises:
        UserError: TS-DATA-001 or 006 where a file can't be read.
    """
    return compared_rows(evaluation, _rows(training, training_filter), filter)


def compared_rows(evaluation: Path, training: Iterable[tuple[int, Mapping[str, Any]]], filter: str = "") -> tuple[list[Match], int]:
    """The same of rows for training with their lines."""
    index = EvaluationRows(_rows(evaluation, filter))
    for line, row in training:
        index.see(line, row)
    return index.matches(), len(index)


def contaminated_share(
    evaluation: tuple[Path, str, str], training: tuple[Path, str, str], memory: MutableMapping[str, Any], largest: int
) -> tuple[int, int] | None:  # fmt: skip
    """How many rows for evaluation are in the other file, of how many; None where that is not looked for.

    Args:
        evaluation, training: path, digest and filter.
        memory: where what was found is kept, by digests and filters.
        largest: bytes of both together beyond which a plan does not read them.
    """
    key = f"contamination {[*evaluation[1:], *training[1:]]}"
    known = memory.get(key)
    if isinstance(known, list) and len(known) == 2:
        return int(known[0]), int(known[1])
    try:
        if evaluation[0].stat().st_size + training[0].stat().st_size > largest:
            return None
        found, count = compared(evaluation[0], training[0], filter=evaluation[2], training_filter=training[2])
    except (OSError, UserError):
        return None  # whoever reads the file for its own sake says what is wrong with it
    memory[key] = [len(found), count]
    return len(found), count


def _rows(path: Path, filter: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        yield from ((line.number, line.row) for line in read_file(path, shape_of({}, filter)) if line.row)
    except NotRows as error:
        raise UserError("TS-DATA-006", f"{path} can't be read as rows: {error}", fix=error.fix) from None
    except OSError as error:
        raise unreadable(path, str(path), error) from error
