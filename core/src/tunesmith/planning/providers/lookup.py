"""From the providers that a pipeline names to those installed, with their settings checked and filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.settings import fill, problems
from tunesmith.errors import TunesmithError, UserError, listed
from tunesmith.planning.pipeline.spec import PipelineSpec, dotted
from tunesmith.planning.pipeline.step_syntax import AUTO, Path, ProviderSpec, an, words
from tunesmith.planning.placement.environments import Environments
from tunesmith.planning.plan import Choice
from tunesmith.planning.problems import Notes
from tunesmith.plugins.records import Plugin, ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class ProviderLookup:
    """Looks providers up; what is wrong goes to `notes`."""

    def __init__(self, spec: PipelineSpec, registry: Registry, notes: Notes, environments: Environments | None = None) -> None:
        self.spec, self.registry, self.notes = spec, registry, notes
        self.environments = environments or Environments(registry)
        self._standard: dict[tuple[str, str], Choice | None] = {}

    def named(self, wanted: ProviderSpec) -> Choice | None:
        """The provider asked for by name; None, with a problem noted, if it can't be had."""
        where = self.spec.where(*wanted.path)
        try:
            record = self.registry.provider(wanted.kind, wanted.name)
        except TunesmithError as error:
            self.notes.adopt(error, where)
            return None
        settings = self.settings(record, wanted.settings, wanted.path)
        return None if settings is None else Choice(record, settings)

    def settings(self, record: ProviderRecord, values: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
        """`values` with defaults filled in, or None with every misfit noted."""
        found = list(problems(record.schema, values))
        for inner, sentence in found:
            full = (*path, *(int(index) if index else name for index, name in _PART.findall(inner)))
            fix = f"The settings of the {words(record.kind)} `{record.name}`: tunesmith plugin info {record.distribution}"
            self.notes.problem("TS-SPEC-020", f"{self.spec.where(*full)}: `{dotted(full)}` {sentence}", fix=fix)
        return None if found else fill(record.schema, values, self.spec.base)

    def standard(self, record: ProviderRecord) -> Choice | None:
        """A provider with nothing but defaults; None if it has to be told something or can't run here."""
        key = (record.kind, record.name)
        if key not in self._standard:
            usable = not any(problems(record.schema, {})) and not self.environments.refusal(record)
            self._standard[key] = Choice(record, fill(record.schema, {})) if usable else None
        return self._standard[key]

    def none_usable(self, wanted: ProviderSpec) -> None:
        """Note that `auto` has nothing to choose from."""
        installed = self.registry.providers(wanted.kind)
        where, kind = self.spec.where(*wanted.path), words(wanted.kind)
        if not installed:
            self.notes.problem("TS-PLAN-005", f"{where}: no {kind} is installed",
                               fix=f"Install a plugin that brings {an(kind)}; `tunesmith plugin list` shows what there is.")  # fmt: skip
            return
        why = "; ".join(f"`{r.name}` {self.why_not(r)}" for r in installed.values())
        self.notes.problem("TS-PLAN-005", f"{where}: none of the installed {kind} providers can be chosen automatically", why=why,
                           fix=f"Name one instead of `{AUTO}`, with its settings.")  # fmt: skip

    def unasked(self, record: ProviderRecord) -> Choice:
        """A provider that nobody named, with its defaults.

        Raises:
            UserError: TS-PLAN-005 where it has to be told something, or can't run here.
        """
        choice = self.standard(record)
        if choice is None:
            others = [name for name in self.registry.providers(record.kind) if name != record.name]
            fix = (
                f"Choose another {words(record.kind)}: {listed(others)}." if others else f"`tunesmith plugin doctor {record.distribution}`"
            )
            raise UserError("TS-PLAN-005", f"`{record.name}` {self.why_not(record)}", fix=fix)
        return choice

    def verb_over(self, kind: str, where: str) -> ProviderRecord | None:
        """The verb whose main provider is of a kind."""
        verb = next((verb for verb in self.registry.providers("verb").values() if verb.main_kind == kind), None)
        if verb is None:
            self.notes.problem(
                "TS-PLAN-005", f"{where}: no verb takes {an(words(kind))}", fix="Install tunesmith again: its manifest is gone."
            )
        return verb

    def why_not(self, record: ProviderRecord) -> str:
        told = "must be told " + ", ".join(path for path, _ in problems(record.schema, {}))
        return self.environments.refusal(record) or told

    def plugin(self, record: ProviderRecord) -> Plugin:
        return self.registry.plugin(record)
