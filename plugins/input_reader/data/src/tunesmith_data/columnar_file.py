"""Rows of a table by columns: Parquet and Arrow (as `datasets` keeps them), by pyarrow; some thousand rows are held at a time."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import mimetypes
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tunesmith_data.line import Line, NotRows

PARQUET, ARROW = b"PAR1", b"ARROW1"
_STREAM = b"\xff\xff\xff\xff"  # an Arrow stream begins with it, where a file would say ARROW1
_AT_ONCE = 1024  # rows


def read_columnar(file: BinaryIO, head: bytes) -> Iterator[Line] | None:
    """Each row with its number; None where `head` begins no such table.

    Raises:
        NotRows: pyarrow is not installed, or can't read it.
    """
    kind = "Parquet" if head.startswith(PARQUET) else "Arrow" if head.startswith((ARROW, _STREAM)) else ""
    if not kind:
        return None
    try:
        import pyarrow
    except ImportError:
        raise NotRows(f"it is a table of {kind}, which `pyarrow` reads", "Install it: pip install tunesmith-data[tables]") from None
    try:
        return _lines(_batches(file, head))
    except (pyarrow.ArrowInvalid, OSError) as error:
        what = f"it looks like a table of {kind} and can't be read: {error}"
        raise NotRows(what, "Write the file again, or its rows as JSON Lines.") from None


def _batches(file: BinaryIO, head: bytes) -> Iterator[Any]:
    if head.startswith(PARQUET):
        import pyarrow.parquet

        return pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=_AT_ONCE)
    import pyarrow.ipc

    if head.startswith(_STREAM):
        return iter(pyarrow.ipc.open_stream(file))
    table = pyarrow.ipc.open_file(file)
    return (table.get_batch(number) for number in range(table.num_record_batches))


def _lines(batches: Iterator[Any]) -> Iterator[Line]:
    number = 0
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, _AT_ONCE):
                for row in batch.slice(start, _AT_ONCE).to_pylist():
                    number += 1
                    yield _line(number, row)
    except (OSError, ValueError) as error:  # pyarrow's own are both
        yield Line(number + 1, None, f"can't be read: the table is damaged ({error})")


def _line(number: int, row: Mapping[str, Any]) -> Line:
    try:
        return Line(number, {name: _plain(value, name) for name, value in row.items()})
    except ValueError as error:
        return Line(number, None, str(error))


def _data_url(data: bytes, name: str) -> str:
    """A medium that the table holds itself, as `datasets` keeps pictures and sounds."""
    starts = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "audio/wav", b"fLaC": "audio/flac"}
    kind = mimetypes.guess_type(name)[0] or next((kind for start, kind in starts.items() if data.startswith(start)), "image/webp")
    kind = "image/webp" if data[8:12] == b"WEBP" else kind
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _plain(value: Any, place: str) -> Any:
    """A value as JSON has it.

    Raises:
        ValueError: JSON has no such value.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes) and set(value) == {"bytes", "path"}:
        return {"url": _data_url(value["bytes"], str(value["path"] or ""))}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, f"{place}.{name}") for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, place) for inner in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise ValueError(f"has {type(value).__name__} in column `{place}`, which is no text, number, list or object")
