"""What requests may hold, as JSON Schema, and the check of a body against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith.errors import did_you_mean
from tunesmith_transformers.api.errors import ApiError

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}

_SAMPLING: dict[str, Any] = {
    "model": _TEXT,
    "max_tokens": _COUNT,
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "top_k": {"type": "integer", "minimum": -1},
    "seed": {"type": "integer"},
    "n": {"type": "integer", "minimum": 1, "maximum": 64},
    "stop": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "logit_bias": {"type": "object", "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
    "ignore_eos": _FLAG,
    "stream": _FLAG,
    "stream_options": {"type": "object", "properties": {"include_usage": _FLAG, "include_obfuscation": _FLAG}},
}
_PART = {"type": "object", "properties": {"type": _TEXT, "text": _TEXT}, "required": ["type"]}
_MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool", "function"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": _PART}, {"type": "null"}]},
        "tool_calls": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["role"],
}
_IDS = {"type": "array", "items": _COUNT, "minItems": 1}

CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": _SAMPLING
    | {
        "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
        "max_completion_tokens": _COUNT,
        "logprobs": _FLAG,
        "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
        "tools": {"type": "array", "items": {"type": "object"}},
        "tool_choice": {"type": "string", "enum": ["auto", "none"]},
        "response_format": {"type": "object", "properties": {"type": {"type": "string", "enum": ["text"]}}},
        "chat_template_kwargs": {"type": "object"},
    },
}
COMPLETION: dict[str, Any] = {
    "type": "object",
    "required": ["model", "prompt"],
    "properties": _SAMPLING
    | {
        "prompt": {"anyOf": [_TEXT, _IDS, *({"type": "array", "items": items, "minItems": 1} for items in (_TEXT, _IDS))]},
        "echo": _FLAG,
        "logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    },
}
#: Fields of the API that change nothing here.
IGNORED = {
    "user", "metadata", "store", "service_tier", "parallel_tool_calls", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "reasoning_effort", "verbosity", "modalities", "best_of", "suffix",
}  # fmt: skip


def read(body: bytes, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The request in a body; fields that are null count as left out.

    Raises:
        ApiError: 400 naming every field that does not fit.
    """
    try:
        request = json.loads(body)
        if b"\\ud" in body.lower():  # escapes that may be half of a pair, which no text has and no answer could repeat
            json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise ApiError(400, "The body should be a JSON object.")
    request = {name: value for name, value in request.items() if value is not None}
    found = list(problems(schema, request))
    known = set(schema["properties"]) | IGNORED
    found += [(name, "is not known. " + did_you_mean(name, schema["properties"])) for name in request if name not in known]
    found += [(name, "is not supported") for name in ("best_of", "suffix") if request.get(name) not in (None, "", request.get("n", 1))]
    if found:
        raise ApiError(400, "; ".join(f"`{path}` {sentence}" for path, sentence in found) + ".", param=found[0][0])
    return request
