"""What a row of each format holds, for the checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tunesmith_data.api import CONVERSATIONS, PART_TYPES


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _class(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _list_of(fits: Callable[[Any], bool], least: int = 1) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(fits, value))


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


#: format -> the forms of its rows: a key, and what it holds; lists of messages are looked into one by one
FORMS: Mapping[str, Sequence[Mapping[str, Callable[[Any], bool]]]] = {
    "dataset/chat": ({"messages": _list_of(bool)},),
    "dataset/prompt": ({"messages": _list_of(bool)},),
    "dataset/preference": ({"messages": _list_of(bool), "chosen": _list_of(bool), "rejected": _list_of(bool)},),
    "dataset/unpaired": ({"messages": _list_of(bool), "answer": _list_of(bool), "label": _truth},),
    "dataset/stepwise": ({"messages": _list_of(bool), "completions": _list_of(_text), "labels": _list_of(_truth)},),
    "dataset/text": ({"text": _text},),
    "dataset/labelled": (
        {"text": _text, "label": _class}, {"messages": _list_of(bool), "label": _class},
        {"text": _text, "labels": _list_of(_class, 0)}, {"messages": _list_of(bool), "labels": _list_of(_class, 0)},
        {"tokens": _list_of(_text), "labels": _list_of(_class)},
    ),
    "dataset/embedding": ({"anchor": _text, "positive": _text, "negatives": _list_of(_text, 0)},),
}  # fmt: skip


def faults(row: Any, format: str) -> Iterator[str]:
    """In what a row is none of its format."""
    if not isinstance(row, Mapping):
        yield "is no object"
        return
    forms = FORMS.get(format, ())
    form = next((form for form in forms if set(form) <= set(row)), forms[0] if forms else {})
    for key, holds in form.items():
        if key not in row:
            yield f"has no `{key}`"
            return
        if not holds(row[key]):
            yield f"has in `{key}` not what {format} has there"
            return
    if "completions" in form and len(row["completions"]) != len(row["labels"]):
        yield "has not one label for each of `completions`"
    for key in (key for key in CONVERSATIONS if key in row):
        messages = row[key]
        for message in messages:
            if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
                yield f"has a message without a role in `{key}`"
                continue
            parts = message.get("content")
            if not isinstance(parts, list):
                yield f"has content in `{key}` that is no list of parts"
            elif any(not isinstance(part, Mapping) or part.get("type") not in PART_TYPES for part in parts):
                yield f"has a part of no known type in `{key}`"
    try:
        json.dumps(row)
    except (TypeError, ValueError):
        yield "is no JSON"
