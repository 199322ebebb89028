"""The commands that plugins bring: verbs, providers that are commands of their own, and plugins' own commands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.errors import TunesmithError, UserError
from tunesmith.plugins.records import ProviderRecord
from tunesmith_cli.command import ENTRIES, SPOKEN

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_KERNEL = frozenset(entry.name for entry in ENTRIES)


class VerbName(NamedTuple):
    """A verb as a command; `provider` is its main provider where that gives the command its name (`promote`)."""

    verb: ProviderRecord
    provider: ProviderRecord | None = None

    @property
    def summary(self) -> str:
        return self.provider.summary if self.provider else self.verb.summary


class Catalog:
    """What the registry brings to the command line. The kernel's own commands have precedence, then verbs, then providers."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    @cached_property
    def verbs(self) -> dict[str, VerbName]:
        """By command name, those that can work here: a verb without any provider of its kind is left out."""
        found: dict[str, VerbName] = {}
        promoted: dict[str, VerbName] = {}
        for name, verb in self.registry.providers("verb").items():
            if not self._usable(verb):
                continue
            found[SPOKEN.get(name, name)] = VerbName(verb)
            if verb.promote:
                promoted |= {p.name: VerbName(verb, p) for p in self.registry.providers(verb.main_kind).values()}
        return {name: verb for name, verb in (promoted | found).items() if name not in _KERNEL}

    def _usable(self, verb: ProviderRecord) -> bool:
        # A data file becomes rows on the way to whoever reads them, so a verb that takes one is the planner's.
        mine = bool(verb.inputs) and all("file" not in entry.accepts for entry in verb.inputs)
        loads = verb.main_kind == "model_loader"
        return (mine or loads) and (not verb.main_kind or bool(self.registry.providers(verb.main_kind)))

    @cached_property
    def commands(self) -> dict[str, tuple[str, str, str]]:
        """Plugins' own commands: name -> (summary, target, distribution)."""
        found: dict[str, tuple[str, str, str]] = {}
        for plugin in self.registry.plugins:
            if plugin.state == "active":
                for name, summary, target in plugin.commands:
                    if name not in _KERNEL and name not in self.verbs:
                        found.setdefault(name, (summary, target, plugin.distribution))
        return found

    def added(self, group: str) -> dict[str, str]:
        """What plugins add to a group of the kernel's commands, or to a verb: second word -> summary of their commands `GROUP WORD`."""
        own = ((name.partition(" "), summary) for name, (summary, _, _) in self.commands.items())
        return {word: summary for (first, _, word), summary in own if word and first == group}

    def call(self, name: str, arguments: Sequence[str]) -> int:
        """Run a plugin's own command."""
        import importlib

        _, target, distribution = self.commands[name]
        module, _, function = target.partition(":")
        try:
            run = getattr(importlib.import_module(module), function)
        except Exception as error:
            raise TunesmithError(
                "TS-CLI-003", f"the command `{name}` of {distribution} can't be loaded", why=f"{type(error).__name__}: {error}",
                fix=f"Update or remove {distribution}.",
            ) from error  # fmt: skip
        return int(run(list(arguments)) or 0)

    def explain(self, name: str) -> None:
        """Raise why `name`, which is no command, is none, if there is more to say than that it is unknown."""
        name = {spoken: verb for verb, spoken in SPOKEN.items()}.get(name, name)
        verb = self.registry.providers("verb").get(name)
        if verb and verb.main_kind:
            self._no_provider(name, verb)
        kinds = [v.main_kind for v in self.registry.providers("verb").values() if v.promote]
        for kind in ("verb", *kinds):
            try:
                self.registry.provider(kind, name)
            except UserError as error:
                if error.code != "TS-PLUGIN-001":
                    raise

    def _no_provider(self, name: str, verb: ProviderRecord) -> None:
        from tunesmith.planning.pipeline.step_syntax import an, words

        raise UserError(
            "TS-CLI-004", f"`{name}` needs a plugin that brings {an(words(verb.main_kind))}, and none is active", why=verb.summary,
            fix="Install one (for example `pip install tunesmith-NAME`), and see `tunesmith plugin list` for those that are not active.",
        )  # fmt: skip
