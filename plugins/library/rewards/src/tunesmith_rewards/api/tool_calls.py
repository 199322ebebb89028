"""Calls of tools in what a model writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_MARKED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_FENCED = re.compile(r"```(?:json|tool_call)?\s*\n(.*?)\n?```", re.DOTALL)


class ToolCall(NamedTuple):
    """A call: the tool's name, and its arguments by name."""

    name: str
    arguments: Mapping[str, Any]


def tool_calls(answer: str) -> list[ToolCall]:
    """The calls in an answer, in their order: JSON with `name` and `arguments` (or `parameters`) within `<tool_call>` marks, as templates
    of Hermes, Qwen and SmolLM ask for, within a code fence, or as the whole answer, as Llama writes it. What is none is passed over.
    """
    found = [call for text in _MARKED.findall(answer) if (call := _call(text))]
    found = found or [call for text in _FENCED.findall(answer) if (call := _call(text))]
    whole = None if found else _call(answer.strip())
    return [whole] if whole else found


def _call(text: str) -> ToolCall | None:
    try:
        said = json.loads(text)
        arguments = said.get("arguments", said.get("parameters", {}))
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
        return ToolCall(said["name"], arguments) if isinstance(said["name"], str) and isinstance(arguments, dict) else None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
