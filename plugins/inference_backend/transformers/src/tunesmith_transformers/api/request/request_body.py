"""From a request's bytes to its checked fields. Slow for large ones: not for the event loop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any, NoReturn

from tunesmith.contracts.settings import problems
from tunesmith.errors import did_you_mean
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.request_schema import IGNORED

DEEPEST = 64  # levels of lists and objects; more would exhaust the stack of whatever walks them
TOLD = 10  # problems named in one answer
WORD = 64  # characters of an unknown field that are repeated


def read(body: bytes, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The request in a body. Null means left out, for every field that the schema knows, on every level.

    Raises:
        ApiError: 400 naming the fields that do not fit.
    """
    try:
        request = json.loads(body, parse_constant=_no_number)
        if _depth(request) > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        if b"\\ud" in body.lower():  # escapes that may be half of a pair, which no text has and no answer could repeat
            json.dumps(request, ensure_ascii=False).encode()
    except RecursionError:
        raise ApiError(400, f"The body is not JSON that can be read: it is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise ApiError(400, "The body should be a JSON object")
    request = without_nulls(schema, request)
    found = [*islice(problems(schema, request), TOLD), *islice(_unknown(schema, request), TOLD)][:TOLD]
    if found:
        told = (f"`{path}` {sentence if sentence.endswith(' ...') else sentence.rstrip('.')}" for path, sentence in found)
        raise ApiError(400, "; ".join(told), param=found[0][0])
    return request


def without_nulls(schema: Mapping[str, Any], value: Any) -> Any:
    """`value` without the fields that are null, where `schema` names an object's fields; what is free of form stays as it is."""
    for option in schema.get("anyOf", ()):
        value = without_nulls(option, value)
    if isinstance(value, list) and "items" in schema:
        return [without_nulls(schema["items"], item) if isinstance(item, (dict, list)) else item for item in value]
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    if isinstance(value, dict) and (known or rest):
        return {name: without_nulls(known.get(name, rest or {}), item) for name, item in value.items() if item is not None}
    return value


def _unknown(schema: Mapping[str, Any], request: Mapping[str, Any]) -> Any:
    known = set(schema["properties"]) | IGNORED
    for name in request:
        if name not in known:
            yield name[:WORD], "is not known. " + did_you_mean(name, schema["properties"])
    for name in ("best_of", "suffix"):
        if request.get(name) not in (None, "", request.get("n", 1)):
            yield name, "is not supported"


def _depth(value: Any) -> int:
    """Levels of lists and objects, counted without recursion up to one more than is allowed."""
    depth, level = 0, [value]
    while depth <= DEEPEST and (inner := [item for item in level if isinstance(item, (list, dict))]):
        depth += 1
        level = [item for holder in inner for item in (holder.values() if isinstance(holder, dict) else holder)]
    return depth


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
