"""Settings of the verb `stamp`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class StampSettings:
    audience: str = setting("internal", "for whom the model is released", pattern=r"^[a-z-]+$")
