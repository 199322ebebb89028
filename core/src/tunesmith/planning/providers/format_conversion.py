"""Formats as types: where one does not fit, the shortest chain of installed converters that makes it fit."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from tunesmith.contracts.artifacts import fits, role_of, with_role
from tunesmith.contracts.provider import Input
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

HANDED_ON = "*"  #: the role of what was read
LONGEST = 6  # conversions in a row


@dataclass(frozen=True)
class Conversion:
    """One conversion: a verb, the provider that does it (None for a verb that takes none), and what comes out."""

    verb: ProviderRecord
    provider: ProviderRecord | None
    format: str

    @property
    def label(self) -> str:
        return f"{self.verb.name} {self.provider.name}" if self.provider else self.verb.name

    @property
    def maker(self) -> ProviderRecord:
        """Whose capabilities count for what comes out."""
        return self.provider or self.verb

    def of(self, source: str) -> Conversion:
        """The same, of an input of this format."""
        return replace(self, format=with_role(self.format, role_of(source))) if role_of(self.format) == HANDED_ON else self

    def takes(self, format: str) -> bool:
        return takes(self.verb, {self.verb.main_kind: self.provider} if self.provider else {}, format)


@dataclass(frozen=True)
class ConversionChain:
    """A chain of conversions, empty if the format fits as it is; `rejected` are (converter, reason) that would have led on."""

    conversions: tuple[Conversion, ...] = ()
    found: bool = True
    rejected: tuple[tuple[str, str], ...] = ()

    @property
    def proposed(self) -> tuple[Conversion, ...]:
        """Those that the user has to ask for, because they lose something."""
        return tuple(conversion for conversion in self.conversions if conversion.verb.converts == "propose")


def takes(verb: ProviderRecord, providers: Mapping[str, ProviderRecord], format: str, index: int = 0) -> bool:
    """Whether an input of a verb takes a format: its own `accepts` and what its reader says both count; empty takes all."""
    entry = verb.inputs[index]
    reader = providers.get(reader_of(verb, entry))
    return all(fits(format, accepts) for accepts in (entry.accepts, formats_of(reader, entry) if reader else ()) if accepts)


def reader_of(verb: ProviderRecord, entry: Input) -> str:
    """The slot whose provider reads an input; empty for the verb itself."""
    return verb.main_kind if entry.accepts_by else entry.of


def formats_of(reader: ProviderRecord, entry: Input) -> tuple[str, ...]:
    """The formats that a provider says it takes as this input."""
    return tuple(reader.facts.get(entry.accepts_by, ())) if entry.accepts_by else reader.accepts


def makes(verb: ProviderRecord, providers: Mapping[str, ProviderRecord], source: str = f"+{HANDED_ON}") -> str:
    """The format that a verb's artifact usually has; empty if it makes none that is known. Its role is what the main provider's fact
    ``role`` says, or that of the main input.

    Args:
        source: format of the main input; left out, the role of what was read stays open.
    """
    provider, main = providers.get(verb.produces_of), providers.get(verb.main_kind)
    format = next(iter((provider.produces if provider else ()) or verb.produces), "")
    if main and (role := main.facts.get("role")):
        return with_role(format, role)
    return with_role(format, role_of(source)) if role_of(format) == HANDED_ON else format


def converters(registry: Registry) -> list[Conversion]:
    """Every conversion that is installed, those that the planner may insert first, then by priority."""
    found = []
    for verb in registry.providers("verb").values():
        if not verb.converts or not verb.inputs:
            continue
        for provider in registry.providers(verb.main_kind).values() if verb.main_kind else (None,):
            format = makes(verb, {verb.main_kind: provider} if provider else {})
            if format:
                found.append(Conversion(verb, provider, format))
    return sorted(found, key=lambda conversion: (conversion.verb.converts == "propose", -conversion.maker.priority, conversion.label))


def chain_of(
    conversions: Iterable[Conversion],
    source: str,
    accepted: Callable[[str], bool],
    refuse: Callable[[Conversion, tuple[Conversion, ...]], str],
    isolates: Callable[[Conversion], bool] = lambda conversion: False,
) -> ConversionChain:
    """The shortest chain from a format to one that is accepted; one without proposals before any with them, and one that needs no
    isolated environment before any that does.

    Args:
        accepted: whether a format will do.
        refuse: why a conversion can't be used after those before it, or empty.
        isolates: whether a conversion needs an isolated environment.
    """
    if accepted(source):
        return ConversionChain()
    known = list(conversions)
    ticket = count()  # of equal length, the one whose converters come first in `conversions`
    waiting: list[tuple[int, int, int, int, str, tuple[Conversion, ...]]] = [(0, 0, 0, next(ticket), source, ())]
    done: set[str] = set()
    rejected: dict[str, str] = {}
    while waiting:
        proposals, environments, length, _, format, chain = heapq.heappop(waiting)
        if format in done or length > LONGEST:
            continue
        done.add(format)
        if chain and accepted(format):
            return ConversionChain(chain)
        for conversion in known:
            made = conversion.of(format)
            if made.format in done or not conversion.takes(format):
                continue
            if reason := refuse(conversion, chain):
                rejected[conversion.label] = reason
                continue
            cost = (proposals + (conversion.verb.converts == "propose"), environments + isolates(conversion), length + 1)
            heapq.heappush(waiting, (*cost, next(ticket), made.format, (*chain, made)))
    return ConversionChain(found=False, rejected=tuple(rejected.items()))
