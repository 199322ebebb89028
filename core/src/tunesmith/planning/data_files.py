"""Data files of the user's: checked, and prepared into rows that a step can read."""

from __future__ import annotations

import hashlib
import os
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.estimates import Estimate
from tunesmith.errors import UserError
from tunesmith.planning.choices import Chooser
from tunesmith.planning.grammar import FILE
from tunesmith.planning.keys import canonical
from tunesmith.planning.mixture import Mixture
from tunesmith.planning.notes import Notes
from tunesmith.planning.plan import PlannedStep, Source
from tunesmith.planning.products import Product, unused
from tunesmith.planning.spec import PipelineSpec
from tunesmith.plugins.records import ProviderRecord
from tunesmith.verbs.mix import shares

FORMAT = "dataset_format"
SHOWN = 5  # media of a file that can't be had
READINGS = 3  # of a file that is written meanwhile
Memory = MutableMapping[str, Any]
Found = TypeVar("Found")


class DataFiles:
    """Plans a step for each file and format of rows wanted, when something first reads it.

    Args:
        digest_of: SHA-256 of a file.
        memory: what was found in files before, by their digest.
        roots: folders besides a file's own that the media of its rows may lie in.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        chooser: Chooser,
        notes: Notes,
        digest_of: Callable[[Path], str],
        memory: MutableMapping[str, Any],
        roots: Sequence[Path] = (),
    ) -> None:
        self.spec, self.chooser, self.notes, self.digest_of, self.memory, self.roots = spec, chooser, notes, digest_of, memory, roots
        self.steps: list[PlannedStep] = []
        self.sizes: dict[Path, int] = {}  # bytes of the media that a file's rows name
        self._files: dict[tuple[Path, tuple[str, ...]], Product | None] = {}
        self._formats = ""

    def rows(self, text: str, wanted: Sequence[str], reader: str, where: str) -> Product | None:
        """Checked rows of a file, in one of the formats wanted; None, with problems noted, if it has none.

        Args:
            text: the path as the user wrote it.
        """
        path = self.path(text)
        key = (path, tuple(wanted))
        if key not in self._files:
            self._files[key] = self._prepare(path, text, tuple(wanted), reader, where)
        return self._files[key]

    def mixed(self, mixture: Mixture, wanted: Sequence[str], reader: str, where: str, seed: int) -> Product | None:
        """Checked rows of several files as one; None, with problems noted, if one of them has none, or of another format."""
        parts = [self.rows(text, wanted, reader, where) for text in mixture.paths]
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
        from tunesmith.planning.datasets import unreadable

        path = self.path(text)
        try:
            if os.path.isdir(path):
                raise IsADirectoryError(21, "Is a directory")
            return Source(FILE, file=path, digest=self.digest_of(path))
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            self.notes.adopt(unreadable(path, text, error), where)
            return None

    def with_media(self, source: Source, record: ProviderRecord, text: str, where: str) -> Source | None:
        """A file of rows in a dataset format, with the digest of what they name; None, with problems noted, where that can't be had."""
        return self._read(text, where, lambda found, memory: self._media(found, record, text, where, memory))

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

    def _media(self, source: Source, record: ProviderRecord, text: str, where: str, memory: Memory) -> Source | None:
        from tunesmith.planning.row_media import media_digest

        assert source.file is not None
        media, self.sizes[source.file], problems = media_digest(source.file, source.digest, record.facts["row"], memory, self.roots)
        for line, problem in problems[:SHOWN]:
            self.notes.adopt(UserError(problem.code, f"{text}:{line}: {problem.what}", why=problem.why, fix=problem.fix), where)
        if len(problems) > SHOWN:
            self.notes.adopt(UserError(problems[0][1].code, f"{text}: and {len(problems) - SHOWN} more like these"), where)
        return None if problems else replace(source, media=media)

    def _prepare(self, path: Path, text: str, wanted: tuple[str, ...], reader: str, where: str) -> Product | None:
        def look(source: Source, memory: Memory) -> tuple[Source, ProviderRecord, str, Mapping[str, Any]] | None:
            found = self._detected(path, source.digest, text, wanted, reader, where, memory)
            whole = self._media(source, found[0], text, where, memory) if found else None
            return (whole, *found) if whole and found else None

        found = self._read(text, where, look)
        verb = self.chooser.verb_over(FORMAT, where)
        if found is None or verb is None:
            return None
        source, record, format, facts = found
        choice = self.chooser.unasked(record, where)
        if choice is None:
            return None
        size = (os.path.getsize(path) if os.path.exists(path) else 0) + self.sizes[path]
        for step in self.steps:  # another reader wants the same rows
            if step.inputs.get(verb.inputs[0].name) == source and step.settings == {"format": format}:
                return Product(step.name, step.group, format, producers=(choice,), facts=facts, size=size)
        name = unused(f"data:{path.stem}", [step.name for step in self.steps])
        self.steps.append(PlannedStep(
            name=name, group=name, verb=verb, choices={FORMAT: choice}, settings={"format": format},
            inputs={verb.inputs[0].name: source}, format=format, inserted=True, estimate=Estimate({}, 1.5 * size),
        ))  # fmt: skip
        reason = f"{reader} reads {format}; all {facts['rows']} rows of {text} fit"
        self.notes.decide(name, f"inserted: {verb.name} by `{record.name}`", reason)
        return Product(name, name, format, producers=(choice,), facts=facts, size=size)

    def _detected(
        self, path: Path, digest: str, text: str, wanted: tuple[str, ...], reader: str, where: str, memory: Memory
    ) -> tuple[ProviderRecord, str, Mapping[str, Any]] | None:  # fmt: skip
        """The file's format, what its rows become, and statistics; remembered as long as neither file nor formats change."""
        installed = self.chooser.registry.providers(FORMAT)
        if not self._formats:
            self._formats = _digest([[r.identity, r.produces, r.facts.get("row")] for r in installed.values()])
        key = _digest([digest, wanted, self._formats])
        known = memory.get(key)
        if isinstance(known, Mapping) and known.get("name") in installed and {"format", "rows", "characters"} <= set(known):
            return installed[known["name"]], known["format"], {"rows": known["rows"], "characters": known["characters"]}
        from tunesmith.planning.datasets import detect

        found = detect(path, self.chooser.registry, wanted, shown=text, reader=reader)
        for problem in found.problems:
            self.notes.adopt(problem, where)
        if found.record is None or found.problems:
            return None
        facts = {"rows": found.rows, "characters": found.characters}
        memory[key] = {"name": found.record.name, "format": found.format, **facts}
        return found.record, found.format, facts


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
