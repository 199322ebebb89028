"""Checks of dataset formats: rows that fit their schema become rows of the format they name."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import alternatives, expanded, row_schema
from tunesmith_data.conformance.row_forms import faults
from tunesmith_sdk.conformance import CheckFailed, NotRun, Subject, action, check, observer

#: what keys that name the speaker hold, in turns
SPEAKERS = {"role": ("user", "assistant"), "from": ("human", "gpt")}
_TEXT = ("content", "value")


def rows_of(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows that fit a schema: with the required keys alone, with all, and with each text empty or in many scripts."""
    for form in alternatives(schema):
        for text in ("What?", "naïve 你好 🙂", ""):
            for whole in (True, False):
                for turn in (0, 1):
                    made = _value(form, text, whole, turn)
                    if isinstance(made, dict):
                        yield made


def _value(schema: Mapping[str, Any], text: str, whole: bool, turn: int) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][turn % len(schema["enum"])]
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], text, whole, turn)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if not isinstance(kind, str):
        kind = kind[0]
    if kind == "object":
        required = schema.get("required", ())
        entries = schema.get("properties", {}).items()
        return {
            name: SPEAKERS[name][turn % 2] if name in SPEAKERS else _value(entry, text, whole, turn)
            for name, entry in entries
            if whole or name in required or name in _TEXT
        }
    if kind == "array":
        return [_value(schema.get("items", {}), text, whole, turn + number) for number in range(max(2, schema.get("minItems", 0)))]
    least = int(schema.get("minimum", 1))
    return {"string": text or "a" * schema.get("minLength", 0), "integer": least, "number": float(least), "boolean": True}.get(kind)


def _meant(subject: Subject) -> list[dict[str, Any]]:
    """Rows that its author says are good ones."""
    rows = list(subject.record.facts.get("row", {}).get("examples", ()))
    with contextlib.suppress(NotRun):
        rows += subject.author("rows")
    return rows


def _tried(subject: Subject) -> Iterator[tuple[dict[str, Any], Any]]:
    """Rows and what each became: a row, or the error that refused it. All fit the schema: what an author's row misses is a failure."""
    format = subject.build()
    schema = subject.record.facts.get("row", {})
    fitting = row_schema(subject.record)
    for row in _meant(subject):
        for place, sentence in fitting.problems(row):
            raise CheckFailed(f"its author's row {json.dumps(row, ensure_ascii=False)[:90]} misses its schema",
                              found=f"`{place}` {sentence}", fix="Correct the row, or the schema.")  # fmt: skip
    for row in [*_meant(subject), *filter(fitting.fits, rows_of(expanded(schema)))]:
        before = copy.deepcopy(row)
        try:
            made = _rows(format.convert(row))
        except Exception as error:
            made = error
        if row != before:
            raise CheckFailed("it changes the row that it is given", fix="Build a new one.")
        yield row, made


@action("dataset_format")
def work(subject: Subject) -> None:
    """Convert rows."""
    list(_tried(subject))


@observer("dataset_format")
def observe(subject: Subject) -> dict[str, Any]:
    """Rows, or why they are refused."""
    return {"rows": [str(made) if isinstance(made, Exception) else made for _, made in _tried(subject)]}


@check("dataset_format.declares-its-rows", kind="dataset_format", title="its fact `row` is a schema of a row that requires some key")
def declares(subject: Subject) -> None:
    schema = subject.record.facts.get("row", {})
    if schema.get("type") != "object" or not all(form.get("required") for form in alternatives(schema)):
        raise CheckFailed(
            "its fact `row` requires no key, so every row fits it", fix="Name what tells this format from others in `required`."
        )


@check(
    "dataset_format.refuses-by-code",
    kind="dataset_format",
    title="every row that fits its schema is converted or refused by a coded error, and left as it is",
)
def refuses(subject: Subject) -> Iterator[CheckFailed]:
    for row, made in _tried(subject):
        if isinstance(made, Exception) and not isinstance(made, UserError):
            shown = json.dumps(row, ensure_ascii=False)[:90]
            yield CheckFailed(f"{shown} fits its schema; converting it raises {type(made).__name__}", found=str(made),
                              fix="Say it in the schema, or raise `UserError`.")  # fmt: skip


@check("dataset_format.converts", kind="dataset_format", title="what it makes is a row of the format it produces, the same every time")
def converts(subject: Subject) -> Iterator[CheckFailed]:
    tried, meant = list(_tried(subject)), _meant(subject)
    for row, result in tried[: len(meant)]:
        if isinstance(result, Exception):
            shown = json.dumps(row, ensure_ascii=False)[:90]
            yield CheckFailed(f"its author's row {shown} is refused", found=str(result), fix="Take it, or give another one.")
    made = [(row, result) for row, result in tried if not isinstance(result, Exception)]
    if not made:
        raise NotRun("the kit made no row that it takes", where="`rows` in the author's file, or `examples` in the schema")
    again = [result for _, result in _tried(subject) if not isinstance(result, Exception)]
    if [result for _, result in made] != again:
        yield CheckFailed("the same rows become different ones the second time", fix="Keep nothing from row to row.")
    for row, result in made:
        for sentence in (sentence for one in result for sentence in faults(one, subject.record.produces[0])):
            yield CheckFailed(
                f"a row that it made {sentence}", found=json.dumps(row, ensure_ascii=False)[:120], fix="See tunesmith_data.api.rows."
            )


def _rows(made: Any) -> list[Any]:
    """What a row became, which may be several."""
    return list(made) if isinstance(made, (list, tuple)) else [made]
