"""What a plugin says of a hub; all else is the same for all hubs (`loader`)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from tunesmith.errors import TunesmithError
    from tunesmith_hubs.http.client import Refused
    from tunesmith_hubs.http.patience import Patience
    from tunesmith_hubs.listing import HubFile, Listing

A = TypeVar("A", bound="HubAddress")


@dataclass(frozen=True)
class HubAddress:
    """A model's place on a hub.

    Args:
        scheme: of its URI.
        repo: what the hub calls it.
        revision: a branch, tag or commit; `latest` where the URI names none.
        inside: a path in the repository, or empty.
        latest: the revision that is meant where none is named; empty where the hub has no revisions.
        named: the revision that the user named, of an address that was pinned since.
    """

    scheme: str
    repo: str
    revision: str = "main"
    inside: str = ""
    latest: str = "main"
    named: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the revision never changes."""
        return re.fullmatch(r"[0-9a-f]{40}", self.revision) is not None

    def at(self: A, revision: str) -> A:
        return replace(self, revision=revision, named=self.named or self.revision)

    def __str__(self) -> str:
        """As users write it, without what is inside; ``{address}/FILE`` names a file in it."""
        return f"{self.scheme}://{self.repo}" + (f"@{self.revision}" if self.revision != self.latest else "")


class Source(Protocol):
    """A place that has a file. Its methods are called by several threads at once."""

    place: str  #: for messages: a host

    def has_ranges(self) -> bool:
        """Whether it gives parts of the file."""

    def open(self, first: int, last: int) -> AbstractContextManager[tuple[Iterator[bytes], int]]:
        """(Bytes of the file, the position at which they start: `first`, or 0 if it gives no parts), up to and with `last`.

        Raises:
            Transient: an attempt failed that is worth another one.
            Refused: the place does not give the file.
            WrongFile: it says itself that it has another one there.
        """


class Hub(ABC):
    """A hub, as its plugin tells of it."""

    name: ClassVar[str]  #: of its folder in the cache
    offline_variables: ClassVar[tuple[str, ...]] = ()  #: of the environment, which forbid to ask it; beside TUNESMITH_OFFLINE

    @abstractmethod
    def parse(self, uri: str) -> HubAddress:
        """Raises UserError TS-MODEL-003 if it is none of its URIs."""

    @abstractmethod
    def listing(self, address: HubAddress, patience: Callable[[], Patience]) -> Listing:
        """The files at a revision, which is pinned by that.

        Args:
            patience: makes a fresh `Patience` for each request.

        Raises:
            UserError: TS-MODEL-001 no such repository or revision, 002 unreachable, 006 no access.
        """

    @abstractmethod
    def sources(self, address: HubAddress, name: str, file: HubFile) -> Sequence[Source]:
        """Where a file of the pinned `address` is to be had, the best first: the next one is asked when one fails."""

    @abstractmethod
    def error(self, refusal: Refused, address: HubAddress, patience: Callable[[], Patience]) -> TunesmithError:
        """A refusal as a coded error."""

    def copies(self, address: HubAddress, name: str, file: HubFile) -> Iterable[Path]:
        """Where other tools may have put the file on this machine; each is verified before it is used, and never written."""
        return ()

    def known(self, address: HubAddress) -> Listing | None:
        """What other tools on this machine know of the revision."""
        return None
