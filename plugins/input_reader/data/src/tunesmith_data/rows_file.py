"""Rows of a file, one at a time: JSON Lines, or a JSON array of objects, or a table as text; a file ``.txt`` is one row. Any of these
compressed; tables by columns; several files by an index. Standard library only but for the latter (`compressed_file`, `columnar_file`)."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from tunesmith.contracts.untrusted_files import open_regular
from tunesmith_data.api.json_text import Unfit, loads
from tunesmith_data.columnar_file import read_columnar
from tunesmith_data.compressed_file import opened, whole
from tunesmith_data.line import LARGEST_ROW, Line, NotRows
from tunesmith_data.shape.rows import shaped_lines
from tunesmith_data.shards import SUFFIX, shards
from tunesmith_data.table_file import read_table

_CHUNK = 2**20
_TABLES = (".csv", ".tsv")
_BOM = b"\xef\xbb\xbf"
_CHINESE = "GB18030"
_SPACE = re.compile(r"[ \t\r\n]*")
_JSON = re.compile(rb'\{\s*["}]|\[\s*[\[{\]"]')  #: how rows begin


def read_file(path: Path, columns: Mapping[str, str] | None = None) -> Iterator[Line]:
    """The lines of a file, read as they are asked for.

    Args:
        columns: name that a format wants -> name that the column has in the file, or the way into it (`column_path`), or what it is put
            together from; and which rows are wanted (see `tunesmith_data.shape`). Other columns keep their names.

    Raises:
        OSError: when it can't be read, or is no regular file.
        NotRows: when it is something else (a binary table, an archive, a single value over many lines).
        UserError: TS-DATA-094 for an expression that is none.
    """
    lines = _sharded(path) if path.suffix == SUFFIX else _lines_of(path)
    yield from shaped_lines(lines, columns) if columns else lines


def _lines_of(path: Path) -> Iterator[Line]:
    with open_regular(path) as file:
        head = file.read(_CHUNK)
        file.seek(0)
        yield from read_columnar(file, head) or _text(path, file, head)


def _sharded(path: Path) -> Iterator[Line]:
    """The lines of all files that an index names, counted through."""
    before = 0
    for shard in shards(path):
        number = 0
        for line in _lines_of(shard):
            number = line.number
            problem = f"{line.problem} ({shard.name}, line {number})" if line.problem else ""
            yield line._replace(number=before + number, problem=problem)
        before += number


def _text(path: Path, file: BinaryIO, head: bytes) -> Iterator[Line]:
    if packed := opened(file, head):
        return whole(_unpacked(path.with_suffix(""), packed))
    _refuse(path, head)
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    return _read(file, path.suffix.lower(), head.removeprefix(_BOM).lstrip())


def _unpacked(path: Path, packed: BinaryIO) -> Iterator[Line]:
    stream = io.BufferedReader(packed, _CHUNK)  # type: ignore[type-var]  # both readers have what it asks of them
    head = stream.peek(_CHUNK)
    _refuse(path, head)
    if head.startswith(_BOM):
        stream.read(len(_BOM))
    yield from _read(cast(BinaryIO, stream), path.suffix.lower(), head.removeprefix(_BOM).lstrip())


def _read(file: BinaryIO, suffix: str, start: bytes) -> Iterator[Line]:
    """The lines of a file that begins with `start`."""
    if suffix in _TABLES and start and start[:1] not in (b"{", b"["):
        return read_table(file, start)
    if suffix == ".txt" and not _JSON.match(start):
        return _document(file)
    return _array(file) if start[:1] == b"[" else _lines(file)


def _refuse(path: Path, head: bytes) -> None:
    suffix = path.suffix.lower()
    if head.startswith(b"PK\x03\x04") or b"\0" in head[:4096]:
        what = "an archive" if head.startswith(b"PK\x03\x04") else "not text"
        raise NotRows(f"it is {what}", "Write its rows as JSON Lines: one JSON object a line.")
    if other := _other_encoding(head):
        fix = f"Write it in UTF-8: iconv -f {other} -t UTF-8 OLD > NEW; where a spreadsheet saves it: `CSV UTF-8`."
        raise NotRows(f"it is not in UTF-8, but can be read as {other}", fix)
    start = head.removeprefix(_BOM).lstrip()
    if start and start[:1] not in (b"{", b"[") and suffix == ".md":
        raise NotRows("it is text, not JSON", "Write its rows as JSON Lines: one JSON object a line.")
    if start.startswith(b"{") and b"\n" in start:
        line = start.partition(b"\n")[0].strip()
        if line == b"{" or (re.fullmatch(rb'\{\s*"[^"]*"\s*:\s*[\[{]?', line) is not None):
            raise NotRows("it is one JSON object over many lines", "Write a JSON array of rows, or one row a line (JSON Lines).")


def _other_encoding(head: bytes) -> str:
    """The encoding of a file that spreadsheets in China write, if its beginning is in that and no line of it that is not plain ASCII in
    UTF-8; empty otherwise: single lines that are damaged are told by their numbers."""
    lines = [line for line in head.splitlines()[: -1 if len(head) == _CHUNK else None] if not line.isascii()]
    if not lines or any(_decodes(line, "utf-8") for line in lines):
        return ""
    pairs = any(_decodes(line, "gb2312") for line in lines)  # whose bytes are both above ASCII: rare in the words of Europe's encodings
    return _CHINESE if pairs and all(_decodes(line, _CHINESE) for line in lines) else ""


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _lines(file: BinaryIO) -> Iterator[Line]:
    for number, raw in enumerate(iter(lambda: file.readline(LARGEST_ROW + 1), b""), 1):
        if len(raw) > LARGEST_ROW:
            yield Line(number, None, f"has more than {LARGEST_ROW // 2**20} MiB; no more of the file was read")
            return
        if not raw.strip():
            yield Line(number)
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Line(number, None, f"is not UTF-8 (byte {error.start + 1})")
            continue
        try:
            yield _row(number, loads(text))
        except ValueError as error:
            yield Line(number, None, _reason(error, text, cut=not raw.endswith(b"\n")))


def _document(file: BinaryIO) -> Iterator[Line]:
    """The whole file as the text of one row."""
    raw = file.read(LARGEST_ROW + 1)
    if len(raw) > LARGEST_ROW:
        what = f"it is one document of more than {LARGEST_ROW // 2**20} MiB"
        raise NotRows(what, 'Write each document of it as a row: {"text": "..."}, one a line.')
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        yield Line(1, None, f"is not UTF-8 (byte {error.start + 1})")
        return
    yield Line(1, {"text": text}) if text.strip() else Line(1)


def _array(file: BinaryIO) -> Iterator[Line]:
    """The items of a JSON array, decoded as they come; after one that is broken nothing more can be told apart."""
    stream = io.TextIOWrapper(file, "utf-8", newline="")
    ends = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)  # only where an item ends is asked of it
    buffer, place, number, ended = "", 0, 1, False

    def skip() -> None:
        nonlocal place, number
        match = _SPACE.match(buffer, place)
        assert match is not None
        number += buffer.count("\n", place, match.end())
        place = match.end()

    try:
        buffer = stream.read(_CHUNK)
        skip()
        place += 1  # the bracket
        expect_item = True
        while True:
            skip()
            if place == len(buffer) and not ended:
                more = stream.read(_CHUNK)
                buffer, place, ended = buffer[place:] + more, 0, not more
                continue
            letter = buffer[place : place + 1]
            if letter == "]":
                place += 1
                skip()
                if buffer[place:] or stream.read(1):
                    yield Line(number, None, "there is more after the end of the array")
                return
            if letter == "," and not expect_item:
                place, expect_item = place + 1, True
                continue
            if not letter:
                yield Line(number, None, "is cut off: the array does not end")
                return
            if not expect_item:
                yield Line(number, None, "a comma is missing between two rows")
                return
            try:
                _, end = ends.raw_decode(buffer, place)
            except (ValueError, RecursionError) as error:
                if not ended and len(buffer) - place < LARGEST_ROW and not isinstance(error, RecursionError):
                    more = stream.read(max(_CHUNK, len(buffer)))
                    buffer, place, ended = buffer[place:] + more, 0, not more
                    continue
                if isinstance(error, json.JSONDecodeError):
                    number += buffer.count("\n", place, error.pos)
                yield Line(number, None, _reason(error, buffer, cut=ended))
                return
            try:
                yield _row(number, loads(buffer[place:end]))
            except ValueError as error:
                yield Line(number, None, _reason(error, buffer[place:end], cut=False))
            number += buffer.count("\n", place, end)
            place, expect_item = end, False
    except UnicodeDecodeError:
        yield Line(number, None, "is not UTF-8")


def _row(number: int, row: Any) -> Line:
    if isinstance(row, dict):
        return Line(number, row)
    kinds = {list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return Line(number, None, f"is {kinds[type(row)]}; a row is a JSON object")


def _reason(error: Exception, text: str, *, cut: bool) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return str(error) if isinstance(error, Unfit) else f"is not JSON: {error}"
    if cut and (error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")):
        return "is cut off: the file ends in the middle of a row"
    message = error.msg.removesuffix(" at").removesuffix(" starting")
    column = error.colno if error.pos < len(text.rstrip()) else len(text.rstrip().rpartition("\n")[2]) + 1
    return f"is not JSON: {message[:1].lower()}{message[1:]} (column {column})"
