"""Settings of the environment builder `venv`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class VenvSettings:
    installer: str = setting(
        "auto", "what resolves and installs packages; auto: uv, or pip where uv can't be had", choices=("auto", "uv", "pip")
    )
