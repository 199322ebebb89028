"""Settings of the adapter `prompt`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PromptSettings:
    tokens: int = setting(20, "how many embeddings are put before every sequence: its authors find little gain beyond 20 to 100", ge=1)
    start: str = setting(
        "words", "what they begin as. words: the embeddings of words drawn from the vocabulary, which learn faster; noise: normal random "
        "numbers", choices=("words", "noise"),
    )  # fmt: skip
