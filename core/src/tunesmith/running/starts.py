"""How a worker process is started."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Start:
    """How a worker is started: in the host's environment unless told otherwise.

    Args:
        environment: variables to set.
        without: variables of the host's that it must not have.
    """

    command: tuple[str, ...] = (sys.executable, "-m", "tunesmith.isolation.worker")
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
