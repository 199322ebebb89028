"""What the conformance kit can't know: which model can be traced."""

from __future__ import annotations

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    """A tiny model with a tokenizer."""
    from tunesmith_sdk.tiny_models import tiny_model

    tiny_model(case.directory)
    return "model/hf"
