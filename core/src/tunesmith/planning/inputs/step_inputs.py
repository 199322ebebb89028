"""Where the inputs of one planned step come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.kinds.input_reader import InputRequest
from tunesmith.contracts.provider import Input
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.spec import MODEL
from tunesmith.planning.pipeline.step_syntax import FILE, FROM, StepSpec, words
from tunesmith.planning.plan import Choice, Source
from tunesmith.planning.providers.format_conversion import formats_of, reader_of
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.planning.plan_builder import PlanBuilder


class StepInputs:
    """A step's inputs by name: `products` of other steps, what is `prepared` of the user's files, and `files` as they are, with the `facts`
    that are known of them.

    `failed` where one can't be had; it is noted why, unless it was noted at the step that should have made it.
    """

    def __init__(self, builder: PlanBuilder, step: StepSpec, source: str) -> None:
        self.builder, self.step, self.failed = builder, step, False
        self.products: dict[str, Product] = {}
        self.prepared: dict[str, Product] = {}
        self.files: dict[str, Source] = {}
        self.facts: Mapping[str, Any] = {}
        self._written: dict[str, tuple[Input, Any]] = {}
        for index, entry in enumerate(step.verb.inputs):
            text = source if index == 0 else step.inputs.get(entry.name, "")
            if text != "":
                self._find(entry, text, first=index == 0)
            elif entry.required and not entry.unless:
                self._missing(entry, first=index == 0)

    def where(self, entry: Input) -> str:
        return self.builder.spec.where("steps", self.step.name, FROM if entry is self.step.verb.inputs[0] else entry.name)

    def require(self, main: ProviderRecord) -> None:
        """Note the inputs that are not there though the step's main provider, known by now, can't do without, and those that it does not
        read."""
        first, *others = self.step.verb.inputs or (None,)
        if first and first.unless and main.facts.get(first.unless) is not True and first.name not in {*self.products, *self._written}:
            self._missing(first, first=True, reader=main.name)
        for entry in others:
            given = bool(self.step.inputs.get(entry.name))
            if (main.facts.get(entry.required_by) is True or main.facts.get(entry.accepts_by)) and not given:
                self._missing(entry, first=False, reader=main.name)
            elif given and not entry.is_read(main.facts):
                self.failed = True
                self.builder.notes.problem(
                    "TS-PLAN-014", f"{self.where(entry)}: `{main.name}` has no use for `{entry.name}`",
                    why=f"It would be {entry.summary}.", fix=f"Leave `{entry.name}` out.",
                )  # fmt: skip

    def readers(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        """Those of the possible main providers that read all that is given to the step; all of them, where none does."""
        given = [entry for entry in self.step.verb.inputs[1:] if self.step.inputs.get(entry.name)]
        return [choice for choice in choices if all(entry.is_read(choice.record.facts) for entry in given)] or choices

    def _find(self, entry: Input, text: Any, *, first: bool) -> None:
        if not isinstance(text, str):
            self._written[entry.name] = (entry, text)
            return
        builder, spec = self.builder, self.builder.spec
        if text in spec.steps:
            made = builder.products.get(text)
            if made and len(made) > 1:
                what = f"{self.where(entry)}: `{text}` makes {len(made)} artifacts, `{self.step.name}` reads one"
                builder.notes.problem("TS-PLAN-011", what, fix="Make a step of each, and name one of them.")
            if made and len(made) == 1 and made[0].format:
                self.products[entry.name] = made[0]
            else:
                self.failed = True
        elif text == MODEL and spec.model and FILE not in entry.accepts:
            found = builder.model.product
            if found:
                self.products[entry.name] = found
            self.failed |= found is None
        elif first and FILE not in entry.accepts:
            self.failed = True  # no such step: told when the graph was made
        else:
            self._written[entry.name] = (entry, text)

    def _missing(self, entry: Input, *, first: bool, reader: str = "") -> None:
        key = FROM if first else entry.name
        self.failed = True
        if self.builder.spec.steps[self.step.name].get(key) is not None:  # nothing that names a step or a file: told when it was read
            return
        what = "Name a step" + (", or give the pipeline a `model`." if first and FILE not in entry.accepts else " or a file.")
        self.builder.notes.problem("TS-PLAN-010", f"{self.builder.spec.where('steps', self.step.name)}: `{self.step.name}` has no `{key}`",
                                   why=f"`{reader or self.step.verb.name}` reads {entry.summary}.", fix=f"{what} `{key}: ...`")  # fmt: skip

    def read_files(self, providers: Mapping[str, ProviderRecord]) -> None:
        """Have read what is written and names no step, for inputs whose reader is known by now.

        Args:
            providers: by slot, those that are certain.
        """
        step, readers = self.step, self.builder.readers
        main, named = providers.get(step.verb.main_kind), step.main[0].settings if step.main else {}
        for entry, written in self._written.values():
            slot = reader_of(step.verb, entry)
            if entry.name in self.files or entry.name in self.prepared or (slot and slot not in providers):
                continue
            provider = providers.get(slot)
            reader = f"the {words(provider.kind)} `{provider.name}`" if provider else f"`{step.name}`"
            as_it_is = FILE in entry.accepts and isinstance(written, str)
            formats = (FILE,) if as_it_is else (formats_of(provider, entry) if provider else ()) or entry.accepts or ("*",)
            key = FROM if entry is step.verb.inputs[0] else entry.name
            request = InputRequest(
                written, formats, reader, key, step.seed, step.verb.name, main.name if main else "", named, step.settings
            )
            if as_it_is:
                file = readers.file(request, self.where(entry))
                self.failed |= file is None
                if file:
                    self.files[entry.name], self.facts = file
                continue
            product = readers.product(request, self.where(entry))
            self.failed |= product is None
            if product:
                self.prepared[entry.name] = product
