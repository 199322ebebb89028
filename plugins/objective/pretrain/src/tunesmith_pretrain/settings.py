"""Settings of the objective `pretrain`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PretrainSettings:
    end_token: bool = setting(True, "put the tokenizer's end token behind each document, so that the model learns where one ends")
