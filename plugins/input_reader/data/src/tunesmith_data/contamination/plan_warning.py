"""What a plan warns of: a step that evaluates on what an earlier step trains on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.contracts.kinds.input_reader import InputRequest, Planner
from tunesmith_data.contamination.files import contaminated_share
from tunesmith_data.data_file import Rows
from tunesmith_data.shape.rows import FILTER

LARGEST = 2**25  # bytes of two files that a plan holds against each other; of larger ones only whether they are one
EVALUATORS, OBJECTIVES = "evaluator", "objective"


class Part(NamedTuple):
    """Rows as a step reads them.

    Args:
        text: the file as the pipeline has it; split: the part of its rows that is meant, empty for all.
    """

    text: str
    rows: Rows
    split: str


class TrainedRows:
    """The rows that the steps of a plan train on, in the order in which they are planned, and what was warned of."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, Part]] = []
        self._told: set[str] = set()

    def warnings(self, parts: Sequence[Part], request: InputRequest, planner: Planner) -> list[str]:
        """Of what an evaluator reads; what an objective reads is taken down. A warning is about files: however many evaluators read them of
        however many models, it is given once."""
        if request.provider in planner.installed(OBJECTIVES):
            self._seen += [(request.reader, part) for part in parts]
            return []
        if request.provider not in planner.installed(EVALUATORS):
            return []
        found = [_warning(part, reader, trained, planner) for part in parts for reader, trained in self._seen]
        new = [one for one in dict.fromkeys(found) if one and one not in self._told]
        self._told.update(new)
        return new


def _warning(part: Part, reader: str, trained: Part, planner: Planner) -> str:
    mine, theirs = part.rows.file, trained.rows.file
    filters = [one.rows.columns.get(FILTER, "") for one in (part, trained)]
    if mine.path.resolve() == theirs.path.resolve() and filters[0] == filters[1]:
        if part.split != trained.split and part.split and trained.split:
            return ""  # two parts of one file, of which no row is in both
        return f"rows of {part.text} are evaluated on that {reader} trains on"
    found = contaminated_share(
        (mine.path, mine.digest, filters[0]), (theirs.path, theirs.digest, filters[1]), planner.memory, LARGEST
    )  # fmt: skip
    if not found or not found[0]:
        return ""
    words = ["tunesmith", "data", "inspect", trained.text, *(("--filter", filters[1]) if filters[1] else ()), "--against", part.text]
    words += ["--against-filter", filters[0]] if filters[0] else []
    return (
        f"{found[0]} of the {found[1]} rows of {part.text} are among those of {trained.text}, which {reader} trains on, or nearly so "
        f"({shlex.join(words)})"
    )
