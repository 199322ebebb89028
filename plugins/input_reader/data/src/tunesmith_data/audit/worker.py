"""The rows of a file, and of another one for validation, looked at in a worker: what a format makes of them is not made in the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts import Result, Step
from tunesmith.contracts.kinds.input_reader import InstalledProvider, Planner, Question, WorkerDied
from tunesmith.errors import TunesmithError
from tunesmith_data.api import Row, RowSchema
from tunesmith_data.audit.finding import Finding
from tunesmith_data.audit.rows import RowAudit, shared_prompts
from tunesmith_data.check.verdict import checked
from tunesmith_data.rows_file import read_file


class RowFindings(NamedTuple):
    """
    Args:
        lines: of the rows that the file's become, in their order; empty: each is the line of its number.
    """

    findings: tuple[Finding, ...]
    lines: tuple[int, ...]


def row_findings(
    planner: Planner, record: InstalledProvider, path: Path, columns: Mapping[str, str], validation: Path | None
) -> RowFindings:  # fmt: skip
    """What is told of rows by their texts; nothing where the format works in an isolated environment.

    Args:
        validation: rows whose prompts are looked for among those of the file; None: there are none.

    Raises:
        TunesmithError: TS-DATA-048 when the format crashes.
        OSError, NotRows: see `read_file`; of the file for validation.
    """
    files = {"file": path.absolute()} | ({"validation": validation.absolute()} if validation else {})
    question = Question(
        "tunesmith_data.audit.worker:run", record, {}, "tunesmith_data.settings:CheckSettings",
        {"row": record.facts["row"], "columns": dict(columns)}, files,
    )  # fmt: skip
    try:
        meta = planner.ask(question) or {"findings": [], "lines": []}
    except WorkerDied as error:
        raise TunesmithError("TS-DATA-048", f"The dataset format `{record.name}` crashed over {path}", why=str(error),
                             fix=f"Tell the author of {record.distribution}.") from None  # fmt: skip
    return RowFindings(tuple(map(Finding.from_json, meta["findings"])), tuple(meta["lines"]))


def run(step: Step) -> Result:
    """The findings, as the result's meta. Rows that can't be used are told elsewhere."""
    audit = RowAudit(prompts="validation" in step.inputs)
    for line, row in _rows(step, "file"):
        audit.add(line, row)
    findings = list(audit.findings())
    if "validation" in step.inputs:
        findings.append(shared_prompts(audit.prompts, _rows(step, "validation")))
    numbered = audit.lines == list(range(1, len(audit.lines) + 1))
    return Result(meta={"findings": [finding.to_json() for finding in findings], "lines": [] if numbered else audit.lines})


def _rows(step: Step, name: str) -> Iterator[tuple[int, Row]]:
    settings: Any = step.settings
    fitting, convert = RowSchema(settings.row), step.provider("dataset_format").convert
    for line in read_file(step.inputs[name].path, settings.columns):
        if line.number % 256 == 0:
            step.check_cancelled()
            step.progress(line.number, what="looking at rows", unit="rows")
        try:
            yield from ((line.number, row) for row in checked(line, fitting, convert))
        except TunesmithError:
            continue
