"""Answers that are right or wrong: equal to what is expected, with it in them, with a pattern in them, JSON that fits a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_generation.metrics.answer_normalization import contains, equal, normalise
from tunesmith_generation.metrics.metric import Share

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class ExactMatch(Share):
    """An answer that is cut off is wrong where it does not even begin as the expected one."""

    def score(self, answer: str, expected: str, cut: bool) -> bool | None:
        if cut and normalise(expected).startswith(normalise(answer.rstrip("\ufffd")) if answer.strip() else ""):
            return None
        return equal(answer, expected)


class Contains(Share):
    """An answer that is cut off is right where something follows what is expected, so that it ends there as a whole word."""

    def score(self, answer: str, expected: str, cut: bool) -> bool | None:
        if cut:
            return f" {normalise(expected)} " in f" {normalise(answer)}" or None
        return contains(answer, expected)


class Regex(Share):
    """
    Raises:
        UserError: TS-EVAL-002 where the pattern is none.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = compiled(pattern, "pattern")

    def score(self, answer: str, expected: str, cut: bool) -> bool | None:
        return None if cut else self._pattern.search(answer) is not None


class JsonSchema(Share):
    """JSON alone, or in a code fence; what a schema refers to is not fetched.

    Raises:
        UserError: TS-EVAL-002 where the schema is none.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema import SchemaError
        from jsonschema.validators import validator_for
        from referencing import Registry

        cls = validator_for(schema)
        try:
            cls.check_schema(schema)
        except SchemaError as error:
            raise UserError(
                "TS-EVAL-002", "the setting `schema` is no JSON Schema", why=error.message, fix="See json-schema.org."
            ) from error
        self._validator = cls(schema, registry=Registry())

    def score(self, answer: str, expected: str, cut: bool) -> bool | None:
        if cut:
            return None
        fences = _FENCE.findall(answer)
        try:
            value = json.loads(fences[-1] if fences else answer, parse_constant=_refused)
        except (ValueError, RecursionError):
            return False
        return bool(self._validator.is_valid(value))


def compiled(pattern: str, name: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise UserError("TS-EVAL-002", f"the setting `{name}` is no regular expression", why=str(error),
                        fix="Write it as Python's `re` reads it.") from error  # fmt: skip


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
