"""Reads a GGUF file's header: metadata and the table of tensors, without the tensors.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian). Long arrays (a tokenizer's tokens) are
skipped and only their length is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_KEPT_ARRAY = 1024  # per-layer values are kept, vocabularies are not

#: ggml's tensor types: name, elements per block, bytes per block.
TENSOR_TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip


class NotGGUF(Exception):
    """The bytes are no GGUF header that this can read; the message is a clause that says why."""


@dataclass(frozen=True)
class Tensor:
    """An entry of the table: `type` is ggml's number, `offset` counts from the start of the tensor data."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int

    @property
    def elements(self) -> int:
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def bytes(self) -> int:
        """Size of its data; 0 for a type that is not known here."""
        _, block, size = TENSOR_TYPES.get(self.type, ("", 1, 0))
        return self.elements // block * size


@dataclass(frozen=True)
class Header:
    """Metadata (arrays of more than 1024 entries, and arrays of strings or arrays, as their length only) and tensors.

    `data` is the position in the file where the tensors' data starts.
    """

    metadata: Mapping[str, Any]
    lengths: Mapping[str, int]
    tensors: tuple[Tensor, ...]
    data: int

    @property
    def size(self) -> int:
        """Bytes that the whole file must have at least."""
        return max((self.data + t.offset + t.bytes for t in self.tensors), default=self.data)


class _HeaderReader:
    """Numbers and strings off a file; `limit` (the file's size) keeps a damaged length from being believed."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file, self.limit, self.position = file, limit, 0

    def take(self, count: int) -> bytes:
        if count > self.limit - self.position:
            raise NotGGUF(f"it ends after {self.limit} bytes, in the middle of its header")
        data = self.file.read(count)
        if len(data) != count:
            raise EOFError("it ended before its size was reached")
        self.position += count
        return data

    def number(self, layout: str) -> Any:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def string(self) -> str:
        return self.take(self.number("<Q")).decode("utf-8", "replace")

    def array(self) -> tuple[int, list[Any] | None]:
        """Its length, and its values if they are numbers and few."""
        kind, count = self.number("<I"), self.number("<Q")
        if kind in _SCALARS:
            width = struct.calcsize(_SCALARS[kind])
            data = self.take(count * width)
            return count, [v for (v,) in struct.iter_unpack(_SCALARS[kind], data)] if count <= _KEPT_ARRAY else None
        for _ in range(count):
            if kind == _STRING:
                self.take(self.number("<Q"))
            elif kind == _ARRAY:
                self.array()
            else:
                raise NotGGUF(f"an array has the unknown type {kind}")
        return count, None


def read_header(file: BinaryIO, size: int) -> Header:
    """The header of a GGUF file.

    Args:
        file: binary, buffered, at position 0.
        size: of the whole file in bytes.

    Raises:
        NotGGUF: if it is not a GGUF file or damaged.
        EOFError: if `file` gives fewer bytes than `size`: a connection that was cut.
    """
    reader = _HeaderReader(file, size)
    if reader.take(4) != b"GGUF":
        raise NotGGUF("it does not start with the letters GGUF")
    version = reader.number("<I")
    if version not in (2, 3):
        big = version & 0xFFFF == 0
        raise NotGGUF("it is big endian" if big else f"it is GGUF version {version}; versions 2 and 3 are known")
    tensor_count, metadata_count = reader.number("<Q"), reader.number("<Q")
    metadata: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    try:
        for _ in range(metadata_count):
            key, kind = reader.string(), reader.number("<I")
            if kind == _STRING:
                metadata[key] = reader.string()
            elif kind == _ARRAY:
                lengths[key], values = reader.array()
                if values is not None:
                    metadata[key] = values
            elif kind in _SCALARS:
                metadata[key] = reader.number(_SCALARS[kind])
            else:
                raise NotGGUF(f"`{key}` has the unknown type {kind}")
    except RecursionError:
        raise NotGGUF("its arrays are nested without end") from None
    tensors = tuple(_tensor(reader) for _ in range(_plausible(tensor_count, reader)))
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise NotGGUF(f"its alignment is {alignment}")
    return Header(metadata, lengths, tensors, -(-reader.position // alignment) * alignment)


def _plausible(count: int, reader: _HeaderReader) -> int:
    if count > (reader.limit - reader.position) // 24:  # no entry is shorter
        raise NotGGUF(f"it claims {count} tensors")
    return count


def _tensor(reader: _HeaderReader) -> Tensor:
    name, dimensions = reader.string(), reader.number("<I")
    if dimensions > 8:
        raise NotGGUF(f"tensor `{name}` has {dimensions} dimensions")
    shape = tuple(reader.number("<Q") for _ in range(dimensions))
    return Tensor(name, shape, reader.number("<I"), reader.number("<Q"))
