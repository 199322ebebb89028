"""Settings of the model card."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class CardSettings:
    title: str = setting("Model card", "heading of the page")
    licence: str = setting("", "licence to state, as an SPDX expression", examples=("Apache-2.0",), aliases=("license",))
    contact: str = setting("", "whom to ask about the model")
