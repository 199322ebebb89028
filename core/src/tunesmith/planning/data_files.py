"""The input reader of data files: their rows are checked, and steps planned that prepare and mix them."""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.files import path_of, unreadable
from tunesmith.contracts.input_reader import FILE, InputFile, InputRequest, InputStep, InstalledProvider, PlannedInput, Planner
from tunesmith.errors import TunesmithError, UserError, each, together
from tunesmith.planning.datasets import Check, Detection, detect, named
from tunesmith.planning.mixture import Mixture, mixture_of
from tunesmith.planning.row_check import RowCheck
from tunesmith.planning.row_formats import meant
from tunesmith.planning.row_media import Media, media_of
from tunesmith.verbs.mix import shares
from tunesmith.verbs.rows_file import NotRows

KIND = "dataset_format"
READINGS = 3  # of a file that is written meanwhile
Memory = MutableMapping[str, Any]
Found = TypeVar("Found")
_FACTS = ("rows", "characters", "media", "first", "unread", "converted")  # of a file's rows


class Rows(NamedTuple):
    """A file of rows that can all be used.

    Args:
        record: the dataset format.
        format: of the artifact that they become.
        facts: see `tunesmith.verbs.row_check.Verdict`.
        size: bytes, those of the media that they name included.
        columns: name that the format wants -> name that the column has in the file.
    """

    file: InputFile
    record: InstalledProvider
    format: str
    facts: Mapping[str, Any]
    size: int
    columns: Mapping[str, str]


class DataFiles:
    """Reads paths and mixtures of paths. What a file's rows are is found once in a plan, and remembered by the file's digest."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Rows | TunesmithError] = {}

    def read(self, request: InputRequest, planner: Planner) -> PlannedInput | None:
        check = RowCheck(planner)
        if request.formats == (FILE,):
            return self._as_it_is(request, planner, check)
        mixture = mixture_of(request.written, request.key)
        formats = tuple(format for format in request.formats if format.startswith(("dataset/", "*")))
        parts, problems = [], []
        for text, columns in zip(mixture.paths, mixture.columns or ((),) * len(mixture.paths), strict=True):
            key = (text, formats, columns)
            if key not in self._known:
                try:
                    self._known[key] = _File(text, columns, planner, check).fitting(formats, request.reader)
                except TunesmithError as error:
                    self._known[key] = error
            found = self._known[key]
            problems += each(found) if isinstance(found, TunesmithError) else []
            parts += [found] if isinstance(found, Rows) else []
        if problems:
            raise together(problems)
        steps = tuple(_prepare(part, text, request.reader) for part, text in zip(parts, mixture.paths, strict=True))
        size = sum(part.size for part in parts)
        if len(parts) == 1:
            return PlannedInput(steps, size=size, facts=_told(parts[0].facts))
        return _mixed(mixture, parts, steps, size, request)

    def _as_it_is(self, request: InputRequest, planner: Planner, check: Check) -> PlannedInput | None:
        """A file that the verb `prepare` reads in a format that the user names."""
        record = planner.installed(KIND).get(request.provider)
        if request.verb != "prepare" or record is None:
            return None
        columns = request.settings.get("columns")
        said = tuple((name, str(column)) for name, column in columns.items()) if isinstance(columns, Mapping) else ()
        found = _File(str(request.written), said, planner, check).in_format(record, request.provider_settings)
        return PlannedInput(file=found.file, size=found.size, facts=_told(found.facts))


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in ("rows", "characters", "media", "first")}


def _prepare(rows: Rows, text: str, reader: str) -> InputStep:
    settings = {"format": rows.format} | ({"columns": dict(rows.columns)} if rows.columns else {})
    return InputStep(
        "prepare", f"data:{rows.file.path.stem}", {"file": rows.file}, rows.format, settings, {KIND: rows.record.name},
        disk=1.5 * rows.size, reason=_reason(rows, text, reader),
    )  # fmt: skip


def _reason(rows: Rows, text: str, reader: str) -> str:
    facts, record = rows.facts, rows.record
    reason = f"{reader} reads {rows.format}; all {facts['rows']} rows of {text} fit"
    if unread := facts["unread"]:
        told = {key: f", it reads `{meant(record, key)}`" if meant(record, key) else "" for key in unread}
        reason += "; not read: " + ", ".join(f"`{key}` ({count} rows{told[key]})" for key, count in unread.items())
    if not facts["converted"]:
        reason += "; the format itself sees them in its step, which runs in an environment of its own"
    if rows.file.beside or facts["media"]:
        reason += "; what they name is there, whether it can be decoded is seen in the step that reads it"
    return reason


def _mixed(mixture: Mixture, parts: Sequence[Rows], steps: tuple[InputStep, ...], size: int, request: InputRequest) -> PlannedInput:
    formats = {part.format: text for text, part in zip(mixture.paths, parts, strict=True)}
    if len(formats) > 1:
        told = " and ".join(f"those of {text} become {format}" for format, text in formats.items())
        raise UserError("TS-DATA-046", f"rows of different kinds can't be mixed: {told}", fix="Give files of one kind.")
    counts = [int(part.facts["rows"]) for part in parts]
    taken = shares(counts, mixture.weights)
    facts = {
        "rows": sum(taken),
        "characters": sum(part.facts["characters"] * n // max(1, c) for part, n, c in zip(parts, taken, counts, strict=True)),
        "first": [row for part, n in zip(parts, taken, strict=True) for row in part.facts["first"][:n]],
        "media": {type: sum(part.facts["media"].get(type, 0) for part in parts) for part in parts for type in part.facts["media"]},
    }
    told = ", ".join(f"{n} of the {c} rows of {text}" for text, n, c in zip(mixture.paths, taken, counts, strict=True))
    mix = InputStep(
        "mix", "data:mix", dict(zip(numbered("rows", len(parts)), range(len(parts)), strict=True)), parts[0].format,
        {"weights": list(mixture.weights)}, seed=request.seed, disk=float(size),
        reason=f"{request.reader} reads {told}; no row twice, which ones by the seed {request.seed}",
    )  # fmt: skip
    return PlannedInput((*steps, mix), size=size, facts=facts)


class _File:
    """One file of rows."""

    def __init__(self, text: str, columns: Sequence[tuple[str, str]], planner: Planner, check: Check) -> None:
        self.text, self.columns, self.planner, self.check = text, dict(columns), planner, check
        self.path = path_of(text, planner.base)

    def fitting(self, wanted: Sequence[str], reader: str) -> Rows:
        """The rows in the first of the installed formats that fits them and makes what is wanted.

        Raises:
            TunesmithError: why they can't be used.
        """
        installed = self.planner.installed(KIND)
        formats = _digest([[r.identity, r.produces, r.facts.get("row"), r.facts.get("aliases")] for r in installed.values()])

        def judge() -> Detection:
            return detect(self.path, installed, wanted, shown=self.text, reader=reader, columns=self.columns, check=self.check)

        return self._steady(lambda digest, memory: self._judged([digest, wanted, formats, self.columns], judge, digest, memory))

    def in_format(self, record: InstalledProvider, settings: Mapping[str, Any]) -> Rows:
        """The rows in a format that the user names."""

        def judge() -> Detection:
            try:
                return named(self.path, self.text, record, self.columns, settings, self.check, list(self.planner.installed(KIND).values()))
            except NotRows as error:
                return Detection(record, [UserError("TS-DATA-006", f"{self.text} can't be read as rows: {error}", fix=error.fix)])
            except OSError as error:
                return Detection(record, [unreadable(self.path, self.text, error)])
            except TunesmithError as error:  # settings that don't fit are told where they stand
                return Detection(record, [] if error.code == "TS-SPEC-020" else [error])

        key = ["in format", record.identity, record.facts["row"], settings, self.columns]
        return self._steady(lambda digest, memory: self._judged([digest, *key], judge, digest, memory))

    def _steady(self, look: Callable[[str, Memory], Found]) -> Found:
        """What `look` finds in the file that is the same before and after; only that is remembered."""
        for _ in range(READINGS):
            digest = self._digest()
            memory: ChainMap[str, Any] = ChainMap({}, self.planner.memory)
            wrong: TunesmithError | None = None
            try:
                found = look(digest, memory)
            except TunesmithError as error:
                wrong = error
            if not self._is(digest):
                continue
            self.planner.memory.update(memory.maps[0])
            if wrong:
                raise wrong
            return found
        raise UserError("TS-RUN-025", f"{self.text} changed each time it was read", why="Something keeps writing to it.",
                        fix="Wait until it is written, or name a copy of it.")  # fmt: skip

    def _digest(self) -> str:
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "Is a directory")
            return self.planner.digest_of(self.path)
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            raise unreadable(self.path, self.text, error) from error

    def _is(self, digest: str) -> bool:
        try:
            return self.planner.digest_of(self.path) == digest
        except OSError:
            return False

    def _judged(self, key: Sequence[Any], judge: Callable[[], Detection], digest: str, memory: Memory) -> Rows:
        """The rows with what they name; remembered where all can be used, as long as neither the file nor what they name changes.

        Args:
            key: what the judgement depends on.
        """
        place = _digest(key)
        known, installed = memory.get(place), self.planner.installed(KIND)
        if isinstance(known, Mapping) and known.get("name") in installed and {"format", "looked", *_FACTS} <= set(known):
            record = installed[known["name"]]
            media = self._media(digest, record, memory)
            if not media.wrong and media.digest == known["looked"]:
                return self._rows(digest, record, known["format"], known, media)
        found, media = judge(), Media()
        if found.record and (found.verdict.lines or not found.problems):
            media = self._media(digest, found.record, memory)
            found = found.without(self.text, media.wrong)
        if found.problems:
            raise together(found.problems)
        assert found.record is not None, "a file in no format has a problem"
        facts = {name: getattr(found.verdict, name) for name in _FACTS}
        memory[place] = {"name": found.record.name, "format": found.format, "looked": media.digest, **facts}
        return self._rows(digest, found.record, found.format, facts, media)

    def _media(self, digest: str, record: InstalledProvider, memory: Memory) -> Media:
        return media_of(self.path, digest, record.facts["row"], memory, self.planner.roots, self.columns)

    def _rows(self, digest: str, record: InstalledProvider, format: str, facts: Mapping[str, Any], media: Media) -> Rows:
        file = InputFile(self.path, digest, media.digest, media.files)
        size = self.path.stat().st_size + media.size if self.path.exists() else media.size
        return Rows(file, record, format, {name: facts[name] for name in _FACTS}, size, self.columns)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=dict).encode()).hexdigest()
