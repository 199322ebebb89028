"""The input reader of data files: their rows are checked, and steps planned that prepare, split and mix them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.kinds.input_reader import FILE, InputRequest, InputStep, InstalledProvider, PlannedInput, Planner
from tunesmith.errors import TunesmithError, UserError, each, listed, together
from tunesmith_data import KIND
from tunesmith_data.check.worker import RowCheck
from tunesmith_data.compressed_file import stem
from tunesmith_data.contamination.plan_warning import Part, TrainedRows
from tunesmith_data.data_file import DataFile, Rows
from tunesmith_data.formats.detection import Check
from tunesmith_data.formats.resemblance import meant, requiring
from tunesmith_data.mixture import Mixture, Split, mixture_of
from tunesmith_data.shape.rows import parts_of, shape_of
from tunesmith_data.verbs.mix import shares
from tunesmith_data.verbs.split import cannot_part, share_of

TRAINED_ON = "data"  #: the input from which an objective learns; of others (validation) nothing is asked


class DataFiles:
    """Reads paths and mixtures of paths. What a file's rows are is found once in a plan, and remembered by the file's digest."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Rows | TunesmithError] = {}
        self._trained = TrainedRows()

    def read(self, request: InputRequest, planner: Planner) -> PlannedInput | None:
        check = RowCheck(planner)
        if request.formats == (FILE,):
            return self._as_it_is(request, planner, check)
        if not isinstance(request.written, (str, Mapping, Sequence)):
            return None
        mixture = mixture_of(request.written, request.key).expanded(planner.base, request.key)
        formats = tuple(format for format in request.formats if format.startswith(("dataset/", "*")))
        parts, problems = [], []
        for text, columns, _ in mixture.files:
            key = (text, formats, columns)
            if key not in self._known:
                try:
                    self._known[key] = DataFile(text, columns, planner, check).fitting(formats, request.reader)
                except TunesmithError as error:
                    self._known[key] = error
            found = self._known[key]
            problems += each(found) if isinstance(found, TunesmithError) else []
            parts += [found] if isinstance(found, Rows) else []
        if problems:
            raise together(problems)
        if request.key == TRAINED_ON and request.provider in planner.installed("objective"):
            _refuse_one_label(_labels(parts), str(mixture), request.reader)
        read = [Part(text, rows, split.name) for (text, _, split), rows in zip(mixture.files, parts, strict=True)]
        warnings = self._trained.warnings(read, request, planner) if request.key == TRAINED_ON else []
        steps: list[InputStep] = []
        ends: list[int] = []
        for number, (text, _, split) in enumerate(mixture.files):
            steps.append(_prepare(parts[number], text, request.reader, planner.installed(KIND)))
            if split.name:
                parts[number] = part_of(parts[number], split, text)
                steps.append(_split(parts[number], split, len(steps) - 1, text))
            ends.append(len(steps) - 1)
        size = sum(part.size for part in parts)
        if len(parts) == 1:
            return PlannedInput(tuple(steps), size=size, facts={**_told(parts[0].facts), **_warned(warnings)})
        found = _mixed(mixture, parts, steps, ends, size, request)
        return replace(found, facts={**found.facts, **_warned(warnings)})

    def _as_it_is(self, request: InputRequest, planner: Planner, check: Check) -> PlannedInput | None:
        """A file that the verb `prepare` reads in a format that the user names."""
        record = planner.installed(KIND).get(request.provider)
        if request.verb != "prepare" or record is None:
            return None
        columns = request.settings.get("columns")
        said = {name: str(column) for name, column in columns.items()} if isinstance(columns, Mapping) else {}
        shape = shape_of(said, str(request.settings.get("filter") or ""))
        found = DataFile(str(request.written), tuple(shape.items()), planner, check).in_format(record, request.provider_settings)
        return PlannedInput(file=found.file, size=found.size, facts=_told(found.facts))


def _labels(parts: Sequence[Rows]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part.facts["labels"])
    return dict(found)


def _refuse_one_label(labels: Mapping[str, int], shown: str, reader: str) -> None:
    """
    Raises:
        UserError: TS-DATA-071 where all rows are examples of the same.
    """
    if len(labels) == 1:
        ((label, count),) = labels.items()
        raise UserError(
            "TS-DATA-071", f"{shown}: all {count} labels are `{label}`", why=f"{reader} learns to tell one from another.",
            fix="Give rows with other labels, too.",
        )  # fmt: skip


def _warned(warnings: Sequence[str]) -> dict[str, Any]:
    """For estimators, which say it in the plan; nothing where there is nothing to say."""
    return {"warnings": list(warnings)} if warnings else {}


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"rows": facts["made"], **{name: facts[name] for name in ("characters", "media", "first", "labels")}}


def _prepare(rows: Rows, text: str, reader: str, formats: Mapping[str, InstalledProvider]) -> InputStep:
    settings = {"format": rows.format, **parts_of(rows.columns)}
    return InputStep(
        "prepare", f"data:{stem(rows.file.path)}", {"file": rows.file}, rows.format, settings, {KIND: rows.record.name},
        disk=1.5 * rows.size, reason=_reason(rows, text, reader, formats),
    )  # fmt: skip


def _reason(rows: Rows, text: str, reader: str, formats: Mapping[str, InstalledProvider]) -> str:
    facts, record = rows.facts, rows.record
    reason = f"{reader} reads {rows.format}; all {facts['rows']} rows of {text} fit"
    if facts["left_out"]:
        reason = f"{reader} reads {rows.format}; {facts['rows']} rows of {text} fit, {facts['left_out']} are left out by the filter"
    if facts["made"] != facts["rows"]:
        reason += f" and become {facts['made']}"
    if unread := facts["unread"]:
        told = {key: f", it reads `{meant(record, key)}`" if meant(record, key) else "" for key in unread}
        told |= {key: f"; that is for {listed(others)}" for key in unread if (others := requiring(formats, key, rows.format))}
        reason += "; not read: " + ", ".join(f"`{key}` ({count} rows{told[key]})" for key, count in unread.items())
    if not facts["converted"]:
        reason += "; the format itself sees them in its step, which runs in an isolated environment"
    if rows.file.beside or facts["media"]:
        reason += "; what they name is there, whether it can be decoded is seen in the step that reads it"
    return reason


def part_of(rows: Rows, split: Split, text: str) -> Rows:
    """The rows of one part, as far as a plan knows them: those of one prompt stay together, so there may be some more or fewer.

    Raises:
        UserError: TS-DATA-083 where there are no two rows to part.
    """
    count = int(rows.facts["made"])
    if count < 2:
        raise cannot_part(text, f"there {'is' if count == 1 else 'are'} {count}")
    test = share_of(count, split.test_size)
    made = test if split.name == "test" else count - test
    facts = {**rows.facts, "made": made, "characters": rows.facts["characters"] * made // count}
    return rows._replace(facts=facts, size=rows.size * made // count)


def _split(rows: Rows, split: Split, source: int, text: str) -> InputStep:
    made, size = rows.facts["made"], split.test_size
    what = f"the {size:.0%} that are held out" if split.name == "test" else f"all but the {size:.0%} that are held out"
    return InputStep(
        "split", f"data:{stem(rows.file.path)}:{split.name}", {"rows": source}, rows.format, {"part": split.name, "test_size": size},
        disk=1.5 * rows.size, reason=f"of the rows of {text} {what}, about {made}; rows with one prompt stay together",
    )  # fmt: skip


def _mixed(
    mixture: Mixture, parts: Sequence[Rows], steps: Sequence[InputStep], ends: Sequence[int], size: int, request: InputRequest
) -> PlannedInput:  # fmt: skip
    formats = {part.format: text for text, part in zip(mixture.paths, parts, strict=True)}
    if len(formats) > 1:
        told = " and ".join(f"those of {text} become {format}" for format, text in formats.items())
        raise UserError("TS-DATA-046", f"rows of different kinds can't be mixed: {told}", fix="Give files of one kind.")
    counts = [int(part.facts["made"]) for part in parts]
    taken = shares(counts, mixture.weights)
    facts = {
        "rows": sum(taken),
        "characters": sum(part.facts["characters"] * n // max(1, c) for part, n, c in zip(parts, taken, counts, strict=True)),
        "first": [row for part, n in zip(parts, taken, strict=True) for row in part.facts["first"][:n]],
        "labels": _labels(parts),
        "media": {type: sum(part.facts["media"].get(type, 0) for part in parts) for part in parts for type in part.facts["media"]},
    }
    told = ", ".join(f"{n} of the {c} rows of {text}" for text, n, c in zip(mixture.paths, taken, counts, strict=True))
    mix = InputStep(
        "mix", "data:mix", dict(zip(numbered("rows", len(parts)), ends, strict=True)), parts[0].format,
        {"weights": list(mixture.weights)}, seed=request.seed, disk=float(size),
        reason=f"{request.reader} reads {told}; no row twice, which ones by the seed {request.seed}",
    )  # fmt: skip
    return PlannedInput((*steps, mix), size=size, facts=facts)
