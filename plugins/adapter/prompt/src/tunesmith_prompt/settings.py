"""Settings of the adapter `prompt`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PromptSettings:
    num_virtual_tokens: int = setting(
        20,
        "how many embeddings are put before every sequence: its authors find little gain beyond 20 to 100",
        ge=1,
        aliases=("virtual_tokens",),
    )
    prompt_tuning_init: str = setting(
        "sample_vocab", "what they begin as. sample_vocab: the embeddings of words drawn from the vocabulary, which learn faster; "
        "random: normal random numbers", choices=("sample_vocab", "random"),
    )  # fmt: skip
