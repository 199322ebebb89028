"""What an environment must hold, before anything is resolved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Recipe:
    """The union of what the plugins of one step ask for.

    It holds third-party packages only. The code of the kernel and of plugins is the host's, linked beside the environment when a worker
    starts: so plugins with the same requirements share an environment, and a plugin's new version needs no new one.

    Args:
        requirements: requirement strings, sorted.
        without_dependencies: installed after the others, their own requirements not looked at.
        absent: normalized names of distributions that must not be there.
        python: version specifier of interpreters that all plugins run under; empty if any will do.
        accelerator: name of the device backend that it is for (``cpu``).
        probes: ``module:function`` of the plugins' own health checks.
        packages: import name -> directory or file of the code that is linked in.
        plugins: the plugins' distributions, for messages.
    """

    requirements: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    python: str = ""
    accelerator: str = "cpu"
    probes: tuple[str, ...] = ()
    packages: Mapping[str, Path] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over what decides which packages are in it."""
        content = [self.requirements, self.without_dependencies, self.absent, self.python, self.accelerator]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
