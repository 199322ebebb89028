"""What the conformance kit can't know: an adapter, and its base's config beside it."""

from __future__ import annotations

from small_adapter import write_adapter

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    write_adapter(case.directory)
    return "adapter/peft"
