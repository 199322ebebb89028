"""What a check is, and the register that the kit's own are in. Runs in workers, too: standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance.report.levels import LEVELS

_Function = Callable[[Any], "Iterable[CheckFailed] | None"]
CHECKS: dict[str, Check] = {}  #: by id; filled by importing `tunesmith_sdk.conformance.catalog`


class CheckFailed(Exception):
    """The plugin does not keep what the check asks for.

    Args:
        what: a sentence.
        found: what was measured, where that says more.
        fix: what its author can do.
    """

    def __init__(self, what: str, *, found: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.found, self.fix = what, found, fix
        self.further: list[CheckFailed] = []  #: what the same check found beside it

    def told(self) -> dict[str, Any]:
        """The outcome's texts."""
        said: dict[str, Any] = {"what": self.what, "found": self.found, "fix": self.fix}
        return said | ({"further": [one.told() for one in self.further]} if self.further else {})


class NotRun(Exception):
    """The check can't be made here.

    Args:
        reason: a clause.
        where: what would let it run.
    """

    def __init__(self, reason: str, *, where: str = "") -> None:
        super().__init__(reason)
        self.reason, self.where = reason, where


def make(check: Check, subject: Any) -> None:
    """Make a check. One that yields what it finds goes on after a finding, so that an author hears of all at once.

    Raises:
        CheckFailed: of all that it found.
        NotRun: it can't be made.
    """
    found: list[CheckFailed] = []
    try:
        for one in check.function(subject) or ():
            found.append(one)
    except CheckFailed as error:
        found.append(error)
    except NotRun:
        if not found:
            raise
    if found:
        found[0].further = found[1:]
        raise found[0]


def no_material(name: str, why: str) -> NotRun:
    """What is raised where something that the kit makes can't be had."""
    return NotRun(f"there is no `{name}`: {why}", where="pip install 'tunesmith-sdk[torch]'")


@dataclass(frozen=True)
class Check:
    """One check.

    Args:
        id: ``area.what-is-promised``; its page is docs/conformance/<id>.md.
        kind: of the providers it is made for; empty: all.
        level: the badge that asks for it.
        title: the promise, as a sentence without a full stop.
        at: ``worker``: called with a `Subject` in a worker, in the plugin's environment; ``host``: called with a `Bench`, which starts
            workers; ``source``: made of the source folder, in the driver.
        function: raises or yields what it finds (`CheckFailed`).
        when: whether a provider's record asks for it.
    """

    id: str
    kind: str
    level: str
    title: str
    at: str
    function: _Function
    when: Callable[[ProviderRecord], bool]

    def meant_for(self, record: ProviderRecord) -> bool:
        return self.at != "source" and self.kind in ("", record.kind) and self.when(record)


def check(
    id: str,
    *,
    title: str,
    kind: str = "",
    level: str = "silver",
    at: str = "worker",
    when: Callable[[ProviderRecord], bool] = lambda r: True,
) -> Callable[[_Function], _Function]:
    """Put a function into the register (see `Check` for the arguments)."""

    def put(function: _Function) -> _Function:
        assert level in LEVELS
        assert id not in CHECKS, id
        CHECKS[id] = Check(id, kind, level, title, at, function, when)
        return function

    return put


def has(capability: str) -> Callable[[ProviderRecord], bool]:
    """A `when`: the record declares the capability, fully or in part."""
    return lambda record: record.capabilities.get(capability) in ("full", "partial")
