"""What the conformance kit can't know: rows of the tiny model are whole groups of 32."""

from __future__ import annotations

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    """A tiny model whose matrices have whole groups, with a tokenizer."""
    from tunesmith_sdk.tiny_models import tiny_model

    tiny_model(case.directory, hidden_size=128, intermediate_size=256)
    return "model/hf"
