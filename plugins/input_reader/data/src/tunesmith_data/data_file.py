"""One file of rows, as an input is planned of it: its format, its rows, and what they name."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tunesmith.contracts.kinds.input_reader import InputFile, InstalledProvider, Planner
from tunesmith.contracts.untrusted_files import unreadable
from tunesmith.errors import TunesmithError, UserError, together
from tunesmith_data import KIND
from tunesmith_data.digest import digest_of
from tunesmith_data.formats.detection import Check, Detection, detect, named
from tunesmith_data.line import NotRows
from tunesmith_data.media.references import Media, media_of
from tunesmith_data.shape.rows import without_filter
from tunesmith_data.sources.fetched import local

READINGS = 3  # of a file that is written meanwhile
Memory = MutableMapping[str, Any]
Found = TypeVar("Found")
_FACTS = ("rows", "made", "characters", "media", "first", "unread", "converted", "labels", "left_out")  # of a file's rows


class Rows(NamedTuple):
    """A file of rows that can all be used.

    Args:
        record: the dataset format.
        format: of the artifact that they become.
        facts: see `tunesmith_data.check.verdict.Verdict`.
        size: bytes, those of the media that they name included.
        columns: name that the format wants -> name that the column has in the file, and the filter (see `tunesmith_data.shape`).
    """

    file: InputFile
    record: InstalledProvider
    format: str
    facts: Mapping[str, Any]
    size: int
    columns: Mapping[str, str]


class DataFile:
    """One file of rows.

    Raises:
        TunesmithError: what is no file can't be brought.
    """

    def __init__(self, text: str, columns: Sequence[tuple[str, str]], planner: Planner, check: Check) -> None:
        found = local(text, planner)
        self.text, self.planner, self.check = text, planner, check
        self.path, self.columns = found.path, dict(columns) if without_filter(dict(columns)) else {**found.columns, **dict(columns)}

    def fitting(self, wanted: Sequence[str], reader: str) -> Rows:
        """The rows in the first of the installed formats that fits them and makes what is wanted.

        Raises:
            TunesmithError: why they can't be used.
        """
        installed = self.planner.installed(KIND)
        formats = digest_of([[r.identity, r.produces, r.facts.get("row"), r.facts.get("aliases")] for r in installed.values()])

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
        place = digest_of(key)
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
        stored = self.path.stat().st_size if self.path.exists() else 0
        size = max(stored, facts["characters"]) + media.size  # what is compressed grows
        return Rows(file, record, format, {name: facts[name] for name in _FACTS}, size, self.columns)
