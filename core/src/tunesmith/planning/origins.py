"""Where artifacts come from that no step of the user's makes: the pipeline's model, and data files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tunesmith.contracts.estimates import Estimate, ModelShape
from tunesmith.contracts.model_loader import ModelInfo
from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith.planning.choices import Chooser
from tunesmith.planning.grammar import FILE, listed
from tunesmith.planning.keys import canonical
from tunesmith.planning.notes import Notes
from tunesmith.planning.plan import Choice, PlannedStep, Source
from tunesmith.planning.products import Product, unused
from tunesmith.planning.spec import MODEL, PipelineSpec
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?(.*)", re.DOTALL)
FETCHED, PREPARED = "model_loader", "dataset_format"  # kinds whose verbs make artifacts of what is outside


def model_uri(spec: PipelineSpec) -> str:
    """The model's URI, a relative ``file://`` taken from the pipeline's directory; a plain path becomes one."""
    match = _SCHEME.match(spec.model)
    plain = spec.base / os.path.expanduser(spec.model)
    if match is None and os.path.exists(plain):
        return f"{FILE}://{plain.absolute()}"
    if match and match[1].lower() == FILE and match[2] and not match[2].startswith(("/", "~", "localhost/")):
        rest = match[2] if os.path.exists(spec.base / match[2]) else unquote(match[2])
        return f"{FILE}://{(spec.base / rest).absolute()}"
    return spec.model


def loader_of(uri: str, registry: Registry, where: str) -> ProviderRecord:
    """The model loader that serves the URI's scheme.

    Raises:
        UserError: TS-SPEC-013 when there is no scheme, or no loader for it.
    """
    loaders = registry.providers(FETCHED).values()
    schemes = {str(scheme): record for record in reversed(list(loaders)) for scheme in record.facts.get("schemes", ())}
    match = _SCHEME.match(uri)
    if match is None:
        known = listed(f"{scheme}://" for scheme in sorted(schemes)) or "none: no model loader is installed"
        raise UserError("TS-SPEC-013", f"{where}: `{uri}` does not say where the model is, and is no path that exists",
                        fix=f"Write it as scheme://name. Schemes: {known}.")  # fmt: skip
    if match[1].lower() not in schemes:
        raise UserError("TS-SPEC-013", f"{where}: no installed model loader serves `{match[1]}://`", fix=did_you_mean(match[1], schemes))
    return schemes[match[1].lower()]


class Origins:
    """Makes the steps, each once, when something first reads them.

    Args:
        resolve: tells what a model URI names.
        digest_of: SHA-256 of a file.
        memory: what was found in files before, by their digest.
    """

    def __init__(
        self, spec: PipelineSpec, chooser: Chooser, notes: Notes, resolve: Callable[[str], ModelInfo], digest_of: Callable[[Path], str],
        memory: MutableMapping[str, Any],
    ) -> None:  # fmt: skip
        self.spec, self.chooser, self.registry, self.notes = spec, chooser, chooser.registry, notes
        self.resolve, self.digest_of, self.memory = resolve, digest_of, memory
        self.steps: list[PlannedStep] = []
        self._model: list[Product | None] = []
        self._files: dict[tuple[Path, tuple[str, ...]], Product | None] = {}
        self._formats = ""

    def model(self) -> Product | None:
        """The pipeline's model; None, with a problem noted, if it can't be had."""
        if not self._model:
            self._model.append(self._download())
        return self._model[0]

    def _download(self) -> Product | None:
        where = self.spec.where("model")
        uri = model_uri(self.spec)
        try:
            record = loader_of(uri, self.registry, where)
        except TunesmithError as error:
            self.notes.adopt(error)
            return None
        verb, loader = self._verb(FETCHED, where), self._chosen(record, where)
        try:
            info = self.resolve(uri)
        except TunesmithError as error:
            self.notes.adopt(error, where)
            return None
        if verb is None or loader is None:
            return None
        self.steps.append(PlannedStep(
            name=MODEL, group=MODEL, verb=verb, choices={FETCHED: loader}, settings=asdict(info), inputs={}, format=info.format,
            inserted=True, estimate=Estimate({}, float(info.size)),
        ))  # fmt: skip
        self.notes.decide(
            MODEL, f"inserted: {verb.name} by `{record.name}`", f"the pipeline starts from {self.spec.model}, {info.revision[:20]}"
        )
        return Product(MODEL, MODEL, info.format, ModelShape.from_config(info.config), info.size, (loader,))

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

    def _prepare(self, path: Path, text: str, wanted: tuple[str, ...], reader: str, where: str) -> Product | None:
        source = self.file(text, where)
        if source is None:
            return None
        found = self._detected(path, source.digest, text, wanted, reader, where)
        verb = self._verb(PREPARED, where)
        if found is None or verb is None:
            return None
        record, format, facts = found
        choice = self._chosen(record, where)
        if choice is None:
            return None
        for step in self.steps:  # another reader wants the same rows
            if step.inputs.get(verb.inputs[0].name) == source and step.settings == {"format": format}:
                return Product(step.name, step.group, format, producers=(choice,), facts=facts, size=path.stat().st_size)
        name = unused(f"data:{path.stem}", [step.name for step in self.steps])
        size = path.stat().st_size
        self.steps.append(PlannedStep(
            name=name, group=name, verb=verb, choices={PREPARED: choice}, settings={"format": format},
            inputs={verb.inputs[0].name: source}, format=format, inserted=True, estimate=Estimate({}, 1.5 * size),
        ))  # fmt: skip
        self.notes.decide(
            name, f"inserted: {verb.name} by `{record.name}`", f"{reader} reads {format}; all {facts['rows']} rows of {text} fit"
        )
        return Product(name, name, format, producers=(choice,), facts=facts, size=size)

    def _detected(
        self, path: Path, digest: str, text: str, wanted: tuple[str, ...], reader: str, where: str
    ) -> tuple[ProviderRecord, str, Mapping[str, Any]] | None:  # fmt: skip
        """The file's format, what its rows become, and statistics; remembered as long as neither file nor formats change."""
        installed = self.registry.providers(PREPARED)
        if not self._formats:
            self._formats = _digest([[r.identity, r.produces, r.facts.get("row")] for r in installed.values()])
        key = _digest([digest, wanted, self._formats])
        known = self.memory.get(key)
        if isinstance(known, Mapping) and known.get("name") in installed:
            return installed[known["name"]], known["format"], {"rows": known["rows"], "characters": known["characters"]}
        from tunesmith.planning.datasets import detect

        found = detect(path, self.registry, wanted, shown=text, reader=reader)
        for problem in found.problems:
            self.notes.adopt(problem, where)
        if found.record is None or found.problems:
            return None
        facts = {"rows": found.rows, "characters": found.characters}
        self.memory[key] = {"name": found.record.name, "format": found.format, **facts}
        return found.record, found.format, facts

    def _verb(self, kind: str, where: str) -> ProviderRecord | None:
        """The kernel's verb over a kind."""
        verb = next((v for v in self.registry.providers("verb").values() if v.main_kind == kind), None)
        if verb is None:
            self.notes.problem(
                "TS-PLAN-005", f"{where}: no verb works with a {kind}", fix="Install tunesmith again: its manifest is missing."
            )
        return verb

    def _chosen(self, record: ProviderRecord, where: str) -> Choice | None:
        from tunesmith.plugins.runtime import missing_error

        if choice := self.chooser.standard(record):
            return choice
        if self.chooser.missing(record):
            self.notes.adopt(missing_error(self.chooser.plugin(record)), where)
        else:
            self.notes.problem("TS-PLAN-005", f"{where}: `{record.name}` {self.chooser.why_not(record)}", fix="Choose another.")
        return None


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
