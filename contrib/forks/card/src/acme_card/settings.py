"""Settings of the card: the public ones, and whose model it is."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_model_card.settings import CardSettings


@dataclass(frozen=True)
class AcmeCardSettings(CardSettings):
    owner: str = setting("platform team", "who answers for the model")
