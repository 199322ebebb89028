"""What puts a model to where a loader brings it from: named by the fact ``publisher`` (``package.module:Class``) of that model loader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tunesmith_hubs.listing import HubFile


@dataclass(frozen=True)
class Published:
    """What lies at a place.

    Args:
        revision: what pins it, as its loader says it.
        files: with their digests, as far as the place tells them.
        page: an address for people; empty if there is none.
    """

    revision: str
    files: Mapping[str, HubFile] = field(default_factory=dict)
    page: str = ""


class Publisher(Protocol):
    """Made without arguments: credentials and addresses come from the environment, as its loader's do.

    A publisher that is killed and called again sends what is missing, and nothing twice that the place has whole.
    """

    def found(self, uri: str) -> Published | None:
        """What lies there now; None if there is nothing.

        Raises:
            UserError: TS-MODEL-002 it can't be reached; 003 the URI names no such place; 006 no access.
        """

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        """Put these files there, beside what lies there. A reader sees them all or, where the place has commits, none.

        Args:
            files: name at the place -> file.
            message: of the commit, where the place has commits.
            public: whether everybody may read a repository that has to be made; one that is there stays as it is.
            sent: to be called with the name of each file that is there now.

        Raises:
            UserError: as `found`.
        """
