"""What is written where an input belongs, and names no step: one of the installed readers makes an input of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.kinds.input_reader import FILE, InputFile, InputReader, InputRequest, InputStep, PlannedInput, Question
from tunesmith.contracts.untrusted_files import path_of, unreadable
from tunesmith.errors import TunesmithError, UserError, did_you_mean, listed
from tunesmith.isolation.provider_import import build_provider
from tunesmith.planning.inputs.step_outputs import Product, product_of, unused
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.placement.environments import Environments
from tunesmith.planning.plan import Choice, PlannedStep, Source
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

KIND = "input_reader"
Ask = Callable[[PlannedStep, Mapping[str, Path]], Mapping[str, Any]]  #: calls the target of a step's verb in a worker, with these files


class HostPlanner:
    """What a reader may know and ask: `tunesmith.contracts.kinds.input_reader.Planner`.

    Args:
        ask: see `tunesmith.running.worker.planner_query.Questions`; None: nobody is asked.
    """

    def __init__(
        self, registry: Registry, environments: Environments, base: Path, digest_of: Callable[[Path], str], *,
        memory: MutableMapping[str, Any] | None = None, roots: Sequence[Path] = (), ask: Ask | None = None,
    ) -> None:  # fmt: skip
        self.base, self.roots, self.digest_of = base, tuple(roots), digest_of
        self.memory: MutableMapping[str, Any] = {} if memory is None else memory
        self._registry, self._environments, self.asks = registry, environments, ask

    def installed(self, kind: str) -> Mapping[str, ProviderRecord]:
        return self._registry.providers(kind)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        record = self._registry.provider(question.provider.kind, question.provider.name)
        if self.asks is None or self._environments.isolates(record):
            return None
        verb = ProviderRecord(
            "verb", "ask", "", question.entry, record.distribution, record.version, settings=question.settings_class, main_kind=record.kind
        )  # fmt: skip
        step = PlannedStep(
            name="rows", group="rows", verb=verb, choices={record.kind: Choice(record, question.provider_settings)},
            settings=question.settings, inputs={}, format="",
        )  # fmt: skip
        return self.asks(step, question.files)


class InputReaders:
    """Asks the readers for one plan, and keeps the steps that they answer."""

    def __init__(self, lookup: ProviderLookup, notes: Notes, planner: HostPlanner) -> None:
        self.lookup, self.notes, self.planner = lookup, notes, planner
        self.steps: list[PlannedStep] = []
        self._readers: dict[str, InputReader] = {}

    def file(self, request: InputRequest, where: str) -> tuple[Source, Mapping[str, Any]] | None:
        """A file of the user's that a step reads as it is, with what is known of it; None, with problems noted, if it can't be had."""
        try:
            found = self.read(request)
            file = found.file if found else self._file(str(request.written))
        except TunesmithError as error:
            self.notes.adopt(error, where)
            return None
        return (_source(file), found.facts if found else {}) if file else None

    def product(self, request: InputRequest, where: str) -> Product | None:
        """What becomes of what is written; None, with problems noted, if nothing can."""
        made: list[Product] = []
        try:
            if (found := self.read(request)) is None:
                raise self.unread(request)
            for step in found.steps:
                made.append(self._product(step, made))
        except TunesmithError as error:
            self.notes.adopt(error, where)
            return None
        return replace(made[-1], size=found.size, facts=found.facts)

    def read(self, request: InputRequest) -> PlannedInput | None:
        """The first reader's answer; None where it is nothing for any that is installed.

        Raises:
            TunesmithError: why it can't be used; TS-PLAN-013 where a reader fails over it.
        """
        for record in self._able(request.formats):
            try:
                found = self._reader(record).read(request, self.planner)
            except TunesmithError:
                raise
            except Exception as error:  # a reader's bug is no traceback for the user
                raise TunesmithError(
                    "TS-PLAN-013", f"the input reader `{record.name}` failed over `{request.written}`",
                    why=f"{type(error).__name__}: {error}",
                    fix=f"Tell the author of {record.distribution}.",
                ) from error  # fmt: skip
            if found is not None:
                return found
        return None

    def _able(self, formats: Sequence[str]) -> list[ProviderRecord]:
        """The readers that make one of these formats."""
        readers = self.lookup.registry.providers(KIND).values()
        return [one for one in readers if any(fits(a, (b,)) or fits(b, (a,)) for a in formats for b in one.produces)]

    def unread(self, request: InputRequest) -> UserError:
        """Why nobody reads it."""
        wanted, steps = listed(request.formats), self.lookup.spec.steps
        if not self.lookup.registry.providers(KIND):
            return UserError(
                "TS-PLAN-012", f"`{request.written}` is no step, and nothing that reads files is installed",
                why=f"{request.reader} reads {wanted}; an input reader makes that of a file.",
                fix="Install one: `pip install tunesmith` brings one for files of rows.",
            )  # fmt: skip
        if not self._able(request.formats):
            what = f"{request.reader} reads {wanted}, which can't be made of a file; `{request.written}` is no step"
            return UserError("TS-PLAN-001", what, fix=did_you_mean(str(request.written), steps))
        asked = listed(record.name for record in self._able(request.formats))
        return UserError("TS-PLAN-012", f"`{request.written}` is no step, and nothing that {asked} can read",
                         why=f"{request.reader} reads {wanted}.", fix=did_you_mean(str(request.written), steps))  # fmt: skip

    def _reader(self, record: ProviderRecord) -> InputReader:
        if record.name not in self._readers:
            choice = self.lookup.unasked(record)
            self._readers[record.name] = build_provider(record.target, record.settings, choice.settings, record.distribution)
        return self._readers[record.name]

    def _file(self, text: str) -> InputFile:
        path = path_of(text, self.planner.base)
        try:
            if os.path.isdir(path):
                raise IsADirectoryError(21, "Is a directory")
            return InputFile(path, self.planner.digest_of(path))
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            raise unreadable(path, text, error) from error

    def _product(self, step: InputStep, made: Sequence[Product]) -> Product:
        """What a step makes; it is kept, unless another one does the same."""
        verb = self.lookup.registry.verb(step.verb)
        kinds = {verb.main_kind: verb.main_kind} | {slot.name: slot.kind for slot in verb.slots}
        records = {slot: self.lookup.registry.provider(kinds[slot], name) for slot, name in step.providers.items()}
        choices = {slot: self.lookup.unasked(record) for slot, record in records.items()}
        sources = {k: Source(made[of].format, made[of].step) if isinstance(of, int) else _source(of) for k, of in step.inputs.items()}
        planned = PlannedStep(
            name="", group="", verb=verb, choices=choices, settings=dict(step.settings), inputs=sources, format=step.format, seed=step.seed,
            inserted=True, estimate=Estimate({}, step.disk),
        )  # fmt: skip
        kept = next((other for other in self.steps if replace(other, name="", group="") == planned), None)
        if kept is None:
            name = unused(step.name, [other.name for other in self.steps])
            kept = replace(planned, name=name, group=name)
            self.steps.append(kept)
            by = f" by `{choices[verb.main_kind].record.name}`" if verb.main_kind in choices else ""
            self.notes.decide(name, f"inserted: {verb.name}{by}", step.reason)
        main = next((made[found] for found in step.inputs.values() if isinstance(found, int)), None)
        return product_of(kept, Choice(verb, kept.settings), main)


def facts_of(request: InputRequest, registry: Registry, planner: HostPlanner) -> dict[str, Any]:
    """What estimators are told of an input (see `EstimateRequest.data`), where no step is planned that reads it.

    Raises:
        TunesmithError: why it can't be used.
    """
    spec = PipelineSpec("data", "", {}, planner.base)
    readers = InputReaders(ProviderLookup(spec, registry, Notes()), Notes(), planner)
    if (found := readers.read(request)) is None:
        raise readers.unread(request)
    return {name: value for name, value in found.facts.items() if name != "first"}


def _source(file: InputFile) -> Source:
    return Source(FILE, file=file.path, digest=file.digest, beside=file.beside, others=file.others)
