"""Rows for evaluation that are among a file's rows, as `tunesmith data inspect --against` tells of them."""

from __future__ import annotations

from pathlib import Path

from tunesmith_data.audit.finding import Finding
from tunesmith_data.contamination.files import compared
from tunesmith_data.contamination.overlap import HOW, NEAR, SEQUENCE, SHARE

_WORDS = {
    "same": "rows of {file} that are here, too",
    "near": "rows of {file} with a near duplicate here",
    "overlap": "rows of {file} that are mostly here",
}
_RULES = {"near": f"three-word sequences alike by {NEAR:.0%}", "overlap": f"more than {SHARE:.0%} of their sequences of {SEQUENCE} words"}


def findings(evaluation: Path, training: Path, *, filter: str, training_filter: str) -> tuple[Finding, ...]:
    """For each way in which rows may be among those for training, as lines of both files: here, and there.

    Args:
        filter, training_filter: as `compared`.

    Raises:
        UserError: as `compared`.
    """
    found, count = compared(evaluation, training, filter=filter, training_filter=training_filter)
    told = []
    for how in HOW:
        lines = [(one.train_line, one.line) for one in found if one.how == how]
        finding = Finding.of_lines(f"contamination.{how}", _WORDS[how].format(file=evaluation.name), lines, count)
        told.append(Finding(**{**vars(finding), "told": _RULES.get(how, "")}))
    return tuple(told)
