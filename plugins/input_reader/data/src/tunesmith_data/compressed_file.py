"""A compressed file as the bytes in it: gzip by the standard library, Zstandard by `zstandard`. What it grows to is read piece by piece."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tunesmith_data.line import Line, NotRows

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SUFFIXES = (".gz", ".zst")


def opened(file: BinaryIO, head: bytes) -> BinaryIO | None:
    """The bytes in a file that begins with `head`; None where it is not compressed.

    Raises:
        NotRows: what reads it is not installed.
    """
    if head.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if not head.startswith(ZSTANDARD):
        return None
    try:
        import zstandard
    except ImportError:
        raise NotRows("it is compressed by Zstandard, which `zstandard` reads", "Install it: pip install tunesmith-data[tables]") from None
    return cast(BinaryIO, io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)))


def stem(path: Path) -> str:
    """A file's name without what says that it is compressed, and of what kind it is."""
    return Path(path.stem).stem if path.suffix.lower() in SUFFIXES else path.stem


def whole(lines: Iterator[Line]) -> Iterator[Line]:
    """Lines of a compressed file; what is wrong with the compression is said where it was met."""
    number = 0
    try:
        for line in lines:
            number = line.number
            yield line
    except (EOFError, OSError, zlib.error) as error:
        yield Line(number + 1, None, f"can't be read: the compressed file is cut off or damaged ({error})")
    except Exception as error:  # of zstandard, whose errors have no base of the standard library's
        if type(error).__module__.partition(".")[0] != "zstandard":
            raise
        yield Line(number + 1, None, f"can't be read: the compressed file is cut off or damaged ({error})")
