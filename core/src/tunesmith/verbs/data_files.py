"""Rows of the user's own files, JSON Lines or one JSON list, each with the line that it begins on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError


def read_data_file(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, row) of every row; which of the two forms it is, its first character says.

    Raises:
        UserError: TS-DATA-001 with file and line for what is no JSON; TS-DATA-002 for what is no UTF-8 text.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            if _first_character(path) == "[":
                yield from _items(path, file.read())
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _row(path, number, line)
    except UnicodeDecodeError as error:
        raise UserError(
            "TS-DATA-002", f"{path} is not UTF-8 text", why=str(error), fix="Save it as UTF-8; `file` and `iconv` help."
        ) from None  # fmt: skip


def _first_character(path: Path) -> str:
    with open(path, encoding="utf-8-sig") as file:
        while block := file.read(4096):
            if text := block.lstrip():
                return text[0]
    return ""


def _row(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _broken(path, number, error.msg, line.strip()) from None


def _items(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON list, one by one, so that each has a line."""
    decoder = json.JSONDecoder()
    at, line, counted = _skip(text, text.index("[") + 1), 1, 0
    while at < len(text) and text[at] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            item, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise _broken(path, error.lineno, error.msg, text[error.pos : error.pos + 60]) from None
        yield line, item
        at = _skip(text, end)
        if at < len(text) and text[at] == ",":
            at = _skip(text, at + 1)
        elif at >= len(text) or text[at] != "]":
            raise _broken(path, 1 + text.count("\n", 0, at), "a comma or the list's end is missing", text[at : at + 60])
    if at >= len(text):
        raise _broken(path, 1 + text.count("\n"), "the list has no end", text[-60:])


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _broken(path: Path, line: int, why: str, there: str) -> UserError:
    return UserError(
        "TS-DATA-001", f"{path}:{line} is not valid JSON: {why}", why=f"There is: {there[:80]}" if there else "",
        fix="Mend or remove that line; `tunesmith data inspect` lists all such lines.",
    )  # fmt: skip
