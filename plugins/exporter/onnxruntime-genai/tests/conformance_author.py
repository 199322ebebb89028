"""What the conformance kit can't know: the builder keeps a row of the vocabulary's table in blocks of 32."""

from __future__ import annotations

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    """A tiny model whose matrices have whole blocks, with a tokenizer."""
    from tunesmith_sdk.tiny_models import tiny_model

    tiny_model(case.directory)
    return "model/hf"
