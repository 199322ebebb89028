"""Settings of the adapter `full`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class FullSettings:
    save_dtype: str = setting("auto", "dtype to store; auto: the base model's", choices=("auto", "float32", "bfloat16", "float16"))
