"""Data files of the user's: checked, and prepared into rows that a step can read."""

from __future__ import annotations

import hashlib
import os
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.estimates import Estimate
from tunesmith.errors import TunesmithError, UserError
from tunesmith.planning.choices import Chooser
from tunesmith.planning.grammar import FILE
from tunesmith.planning.keys import canonical
from tunesmith.planning.mixture import Columns, Mixture
from tunesmith.planning.notes import Notes
from tunesmith.planning.plan import PlannedStep, Source
from tunesmith.planning.products import Product, unused
from tunesmith.planning.spec import PipelineSpec
from tunesmith.plugins.records import ProviderRecord
from tunesmith.verbs.mix import shares

if TYPE_CHECKING:
    from tunesmith.planning.datasets import Check, Detection

FORMAT = "dataset_format"
READINGS = 3  # of a file that is written meanwhile
Memory = MutableMapping[str, Any]
Found = TypeVar("Found")
_FACTS = ("rows", "characters", "unread", "media", "converted", "first")  # of a file's rows


class Rows(NamedTuple):
    """A file of rows that can all be used.

    Args:
        source: the file, with the digest of what its rows name.
        record: the dataset format.
        format: of the artifact that they become.
        facts: see `tunesmith.verbs.row_check.Verdict`.
    """

    source: Source
    record: ProviderRecord
    format: str
    facts: Mapping[str, Any]


class DataFiles:
    """Plans a step for each file and format of rows wanted, when something first reads it.

    Args:
        digest_of: SHA-256 of a file.
        memory: what was found in files before, by their digest.
        roots: folders besides a file's own that the media of its rows may lie in.
        check: what judges rows; default: their formats' schemas alone.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        chooser: Chooser,
        notes: Notes,
        digest_of: Callable[[Path], str],
        memory: MutableMapping[str, Any],
        roots: Sequence[Path] = (),
        check: Check | None = None,
    ) -> None:
        self.check = check
        self.spec, self.chooser, self.notes, self.digest_of, self.memory, self.roots = spec, chooser, notes, digest_of, memory, roots
        self.steps: list[PlannedStep] = []
        self.sizes: dict[Path, int] = {}  # bytes of the media that a file's rows name
        self._files: dict[tuple[Any, ...], Product | None] = {}
        self._formats = ""

    def rows(self, text: str, wanted: Sequence[str], reader: str, where: str, columns: Columns = ()) -> Product | None:
        """Checked rows of a file, in one of the formats wanted; None, with problems noted, if it has none.

        Args:
            text: the path as the user wrote it.
            columns: see `tunesmith.planning.mixture.Mixture`.
        """
        path = self.path(text)
        key = (path, tuple(wanted), columns)
        if key not in self._files:
            self._files[key] = self._prepare(path, text, tuple(wanted), reader, where, dict(columns))
        return self._files[key]

    def mixed(self, mixture: Mixture, wanted: Sequence[str], reader: str, where: str, seed: int) -> Product | None:
        """Checked rows of several files as one; None, with problems noted, if one of them has none, or of another format."""
        named = mixture.columns or ((),) * len(mixture.paths)
        parts = [self.rows(text, wanted, reader, where, columns) for text, columns in zip(mixture.paths, named, strict=True)]
        if len(parts) == 1:
            return parts[0]
        made = [part for part in parts if part]
        if len(made) < len(parts):
            return None
        formats = {part.format: text for text, part in zip(mixture.paths, made, strict=True)}
        if len(formats) > 1:
            told = " and ".join(f"those of {text} become {format}" for format, text in formats.items())
            self.notes.problem("TS-DATA-046", f"{where}: rows of different kinds can't be mixed: {told}", fix="Give files of one kind.")
            return None
        counts = [int(part.facts["rows"]) for part in made]
        taken = shares(counts, mixture.weights)
        verb, format = self.chooser.registry.verb("mix"), made[0].format
        facts = {
            "rows": sum(taken),
            "characters": sum(part.facts["characters"] * n // max(1, c) for part, n, c in zip(made, taken, counts, strict=True)),
            "first": [row for part, n in zip(made, taken, strict=True) for row in part.facts["first"][:n]],
            "media": {type: sum(part.facts["media"].get(type, 0) for part in made) for part in made for type in part.facts["media"]},
        }
        size = sum(part.size for part in made)
        inputs = {key: Source(format, part.step) for key, part in zip(numbered("rows", len(made)), made, strict=True)}
        settings = {"weights": list(mixture.weights)}
        for step in self.steps:  # another reader wants the same mixture
            if step.verb is verb and (step.inputs, step.settings, step.seed) == (inputs, settings, seed):
                return Product(step.name, step.group, format, producers=made[0].producers, facts=facts, size=size)
        name = unused("data:mix", [step.name for step in self.steps])
        self.steps.append(PlannedStep(
            name=name, group=name, verb=verb, choices={}, settings=settings, inputs=inputs, format=format, seed=seed, inserted=True,
            estimate=Estimate({}, float(size)),
        ))  # fmt: skip
        told = ", ".join(f"{n} of the {c} rows of {text}" for text, n, c in zip(mixture.paths, taken, counts, strict=True))
        self.notes.decide(name, f"inserted: {verb.name}", f"{reader} reads {told}; no row twice, which ones by the seed {seed}")
        return Product(name, name, format, producers=made[0].producers, facts=facts, size=size)

    def path(self, text: str) -> Path:
        return (self.spec.base / os.path.expanduser(text)).absolute()

    def file(self, text: str, where: str) -> Source | None:
        """A file of the user's as it is."""
        path = self.path(text)
        try:
            if os.path.isdir(path):
                raise IsADirectoryError(21, "Is a directory")
            return Source(FILE, file=path, digest=self.digest_of(path))
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            from tunesmith.planning.datasets import unreadable

            self.notes.adopt(unreadable(path, text, error), where)
            return None

    def in_format(
        self, record: ProviderRecord, settings: Mapping[str, Any], columns: Mapping[str, str], text: str, where: str
    ) -> Rows | None:  # fmt: skip
        """A file of rows in a dataset format that the user names; None, with problems noted, where they can't be used."""

        def judge(source: Source) -> Detection:
            from tunesmith.planning.datasets import Detection, by_schema, named, unreadable
            from tunesmith.verbs.rows_file import NotRows

            assert source.file is not None
            try:
                installed = list(self.chooser.registry.providers(FORMAT).values())
                return named(source.file, text, record, columns, settings, self.check or by_schema, installed)
            except NotRows as error:
                return Detection(record, [UserError("TS-DATA-006", f"{text} can't be read as rows: {error}", fix=error.fix)])
            except OSError as error:
                return Detection(record, [unreadable(source.file, text, error)])
            except TunesmithError as error:  # settings that don't fit are told where they stand
                return Detection(record, [] if error.code == "TS-SPEC-020" else [error])

        key = ["in format", record.identity, record.facts["row"], settings, columns]
        return self._read(text, where, lambda source, memory: self._judged(source, key, judge, text, where, columns, memory))

    def _read(self, text: str, where: str, look: Callable[[Source, Memory], Found]) -> Found | None:
        """What `look` finds in a file that is the same before and after; only that is remembered under the file's digest."""
        for _ in range(READINGS):
            told = len(self.notes.problems)
            source = self.file(text, where)
            if source is None:
                return None
            memory: ChainMap[str, Any] = ChainMap({}, self.memory)
            found = look(source, memory)
            if self._is(source):
                self.memory.update(memory.maps[0])
                return found
            del self.notes.problems[told:]
        self.notes.problem("TS-RUN-025", f"{where}: {text} changed each time it was read", why="Something keeps writing to it.",
                           fix="Wait until it is written, or name a copy of it.")  # fmt: skip
        return None

    def _is(self, source: Source) -> bool:
        assert source.file is not None
        try:
            return self.digest_of(source.file) == source.digest
        except OSError:
            return False

    def _judged(
        self, source: Source, key: Sequence[Any], judge: Callable[[Source], Detection], text: str, where: str, columns: Mapping[str, str],
        memory: Memory,
    ) -> Rows | None:  # fmt: skip
        """A file's rows with what they name; remembered where all can be used, as long as neither the file nor what they name changes.

        Args:
            key: what the judgement depends on beside the file.
        """
        place = _digest([source.digest, *key])
        known, installed = memory.get(place), self.chooser.registry.providers(FORMAT)
        if isinstance(known, Mapping) and known.get("name") in installed and {"format", "looked", *_FACTS} <= set(known):
            record = installed[known["name"]]
            media, wrong = self._media(source, record, columns, memory)
            if not wrong and media == known["looked"]:
                return Rows(replace(source, media=media), record, known["format"], {name: known[name] for name in _FACTS})
        try:
            found = judge(source)
        except TunesmithError as error:  # of a plugin whose schema or code is broken
            self.notes.adopt(error, where)
            return None
        media = ""
        if found.record and (found.verdict.lines or not found.problems):
            media, wrong = self._media(source, found.record, columns, memory)
            found = found.without(text, wrong)
        for problem in found.problems:
            self.notes.adopt(problem, where)
        if found.record is None or found.problems:
            return None
        facts = {name: getattr(found.verdict, name) for name in _FACTS}
        memory[place] = {"name": found.record.name, "format": found.format, "looked": media, **facts}
        return Rows(replace(source, media=media), found.record, found.format, facts)

    def _media(
        self, source: Source, record: ProviderRecord, columns: Mapping[str, str], memory: Memory
    ) -> tuple[str, list[tuple[int, TunesmithError]]]:  # fmt: skip
        """The digest of what the rows name, and what of it can't be had."""
        from tunesmith.planning.row_media import media_digest

        assert source.file is not None
        media, self.sizes[source.file], wrong = media_digest(source.file, source.digest, record.facts["row"], memory, self.roots, columns)
        return media, wrong

    def _prepare(
        self, path: Path, text: str, wanted: tuple[str, ...], reader: str, where: str, columns: Mapping[str, str]
    ) -> Product | None:  # fmt: skip
        def judge(source: Source) -> Detection:
            from tunesmith.planning.datasets import by_schema, detect

            check = self.check or by_schema
            return detect(path, self.chooser.registry, wanted, shown=text, reader=reader, columns=columns, check=check)

        if not self._formats:
            installed = self.chooser.registry.providers(FORMAT).values()
            self._formats = _digest([[r.identity, r.produces, r.facts.get("row"), r.facts.get("aliases")] for r in installed])
        key = [wanted, self._formats, columns]
        found = self._read(text, where, lambda source, memory: self._judged(source, key, judge, text, where, columns, memory))
        verb = self.chooser.verb_over(FORMAT, where)
        if found is None or verb is None:
            return None
        source, record, format, facts = found
        choice = self.chooser.unasked(record, where)
        if choice is None:
            return None
        size = (os.path.getsize(path) if os.path.exists(path) else 0) + self.sizes[path]
        settings = {"format": format} | ({"columns": dict(columns)} if columns else {})
        for step in self.steps:  # another reader wants the same rows
            if step.inputs.get(verb.inputs[0].name) == source and step.settings == settings:
                return Product(step.name, step.group, format, producers=(choice,), facts=facts, size=size)
        name = unused(f"data:{path.stem}", [step.name for step in self.steps])
        self.steps.append(PlannedStep(
            name=name, group=name, verb=verb, choices={FORMAT: choice}, settings=settings,
            inputs={verb.inputs[0].name: source}, format=format, inserted=True, estimate=Estimate({}, 1.5 * size),
        ))  # fmt: skip
        reason = f"{reader} reads {format}; all {facts['rows']} rows of {text} fit"
        if unread := facts.get("unread"):
            from tunesmith.planning.row_formats import meant

            told = {key: f", it reads `{meant(record, key)}`" if meant(record, key) else "" for key in unread}
            reason += "; not read: " + ", ".join(f"`{key}` ({count} rows{told[key]})" for key, count in unread.items())
        if not facts["converted"]:
            reason += "; the format itself sees them in its step, which runs in an environment of its own"
        if source.media or facts["media"]:
            reason += "; what they name is there, whether it can be decoded is seen in the step that reads it"
        self.notes.decide(name, f"inserted: {verb.name} by `{record.name}`", reason)
        return Product(name, name, format, producers=(choice,), facts=facts, size=size)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
