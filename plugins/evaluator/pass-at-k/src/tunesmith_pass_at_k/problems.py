"""What a reward reads of a problem: the row's columns, and tests as HumanEval and MBPP write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)


def columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's columns; ``tests`` are made where it has those of HumanEval (``test``, ``entry_point``) or MBPP (``test_list`` with
    ``test_imports`` or ``test_setup_code``)."""
    found = dict(row.get("columns", {}))
    if "tests" in found:
        return found
    if isinstance(found.get("test"), str) and isinstance(found.get("entry_point"), str):
        return {**found, "tests": [f"{found['test']}\n\ncheck({found['entry_point']})"]}
    if isinstance(found.get("test_list"), list):
        before = "\n".join([*found.get("test_imports", ()), str(found.get("test_setup_code") or "")]).strip()
        return {**found, "tests": [f"{before}\n{test}" for test in found["test_list"]]}
    return found


def completion(answer: str, prompt: str, row: Mapping[str, Any]) -> str:
    """The answer; where the row names a function (HumanEval) that the answer does not define but goes on with, the prompt before it."""
    name = row.get("entry_point")
    if not isinstance(name, str):
        return answer
    fences = _FENCE.findall(answer)
    program = fences[-1] if fences else answer
    return answer if re.search(rf"\bdef\s+{re.escape(name)}\b", program) else f"{prompt}{program}"
