"""The tensors of safetensors files, mapped into memory and read in pieces; numpy alone, so that no framework is imported.

Source of the layout: the section "Format" of the README of safetensors. numpy has no bfloat16 and no float8: their bits are shifted into
wider types here.
"""

from __future__ import annotations

import functools
import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith_models.safetensors import check_files

PIECE = 2**16  # elements that are compared at a time: what is computed on stays in the second cache of a core

#: safetensors' dtype -> numpy's type of the same width
_TYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16, "F8_E4M3": np.uint8, "F8_E5M2": np.uint8,
    "I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8,
    "BOOL": np.uint8,
}  # fmt: skip
FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as it lies in its file.

    Args:
        dtype: in safetensors' words: ``BF16``.
        start: of its bytes in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    start: int

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATS

    @property
    def count(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def stored(self) -> np.ndarray:
        """Flat, in numpy's type of the same width; mapped, not read."""
        if not self.count:
            return np.empty(0, _TYPES[self.dtype])
        return np.frombuffer(_mapped(self.path, self.path.stat().st_mtime_ns), _TYPES[self.dtype], self.count, self.start)

    def pieces(self, size: int = PIECE) -> Iterator[np.ndarray]:
        """float32, flat, `size` elements at a time."""
        stored = self.stored()
        for start in range(0, self.count, size):
            yield as_float(stored[start : start + size], self.dtype)

    def array(self) -> np.ndarray:
        """All of it, in its shape: float32 of what is floating, else as it is stored."""
        stored = self.stored()
        return (as_float(stored, self.dtype) if self.floating else np.asarray(stored)).reshape(self.shape)


@functools.lru_cache(maxsize=8)  # of the files of two models: a map for each tensor would take longer than what is read
def _mapped(path: Path, changed: int) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def unmap() -> None:
    """Map no file any longer that nobody reads: its pages count as this process's as long as it is mapped."""
    _mapped.cache_clear()


def as_float(stored: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "BF16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    if dtype == "F8_E5M2":
        return (stored.astype(np.uint16) << 8).view(np.float16).astype(np.float32)
    if dtype == "F8_E4M3":
        return _E4M3[stored]
    return stored.astype(np.float32, copy=False)


def _e4m3() -> np.ndarray:
    """float8_e4m3fn by its bits: no infinity, NaN where all exponent and mantissa bits are set."""
    bits = np.arange(256)
    exponent, mantissa = bits >> 3 & 15, bits & 7
    size = np.where(exponent > 0, (1 + mantissa / 8) * 2.0 ** (exponent - 7), mantissa / 8 * 2.0**-6)
    size[(bits & 127) == 127] = np.nan
    return np.where(bits & 128, -size, size).astype(np.float32)


_E4M3 = _e4m3()


def tensors_of(directory: Path) -> dict[str, StoredTensor]:
    """By name, in the order of the files.

    Raises:
        UserError: TS-MODEL-008 when a file is missing or not whole.
    """
    check_files(directory)
    found = {}
    for path in sorted(directory.glob("*.safetensors")):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        for name, entry in header.items():
            if name != "__metadata__":
                start = 8 + length + entry["data_offsets"][0]
                found[name] = StoredTensor(name, entry["dtype"], tuple(entry["shape"]), path, start)
    return found


@dataclass(frozen=True)
class Values:
    """What was seen of a tensor; with a parent's: how far it is from that.

    Args:
        change: |child - parent| / |parent|, Frobenius; 0 where the parent is all zeros and so is the child.
    """

    zero: bool
    finite: bool
    change: float = 0.0


def values_of(child: StoredTensor, parent: StoredTensor | None = None) -> Values:
    """One pass over the bytes. Equal pieces are not computed with: whether they are finite, the bits of the largest number say."""
    zero, finite, apart, size = True, True, 0.0, 0.0
    equal: list[np.ndarray] = []  # their share of the size is wanted only where others differ
    others = iter(()) if parent is None else _raw(parent)
    left, right = _Floats(child.dtype), _Floats(parent.dtype if parent else child.dtype)
    for piece in _raw(child):
        zero = zero and not left.of(piece).any()
        other = next(others, None)
        if other is None or (parent is not None and child.dtype == parent.dtype and _equal(piece, other)):
            finite = finite and _finite(piece, child.dtype)
            equal.append(piece)
            continue
        before, difference = right.of(other), left.of(piece)
        size += float(np.dot(before, before))
        difference = np.subtract(difference, before, out=difference if left.owned else None)
        squares = float(np.dot(difference, difference))
        finite = finite and (bool(np.isfinite(squares)) or _finite(piece, child.dtype))
        apart += squares
    if apart:
        size += sum(float(np.dot(floats, floats)) for piece in equal for floats in (right.of(piece),))
    return Values(zero, finite, (apart / size) ** 0.5 if size else float(apart > 0))


class _Floats:
    """Pieces as float32, in one buffer where their dtype has to be widened.

    Args:
        owned: whether what it gives is its own, and may be written to until the next piece.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype, self.owned = dtype, dtype == "BF16"
        self._wide = np.empty(PIECE if self.owned else 0, np.uint32)

    def of(self, piece: np.ndarray) -> np.ndarray:
        if not self.owned:
            return as_float(piece, self.dtype)
        wide = self._wide[: len(piece)]
        wide[:] = piece
        return np.left_shift(wide, 16, out=wide).view(np.float32)


#: dtype -> unsigned type of its width, all bits but the sign's, bits from which on a number is infinite or NaN
_BITS: dict[str, tuple[Any, int, int]] = {
    "BF16": (np.uint16, 0x7FFF, 0x7F80), "F16": (np.uint16, 0x7FFF, 0x7C00), "F32": (np.uint32, 0x7FFFFFFF, 0x7F800000),
    "F64": (np.uint64, 0x7FFFFFFFFFFFFFFF, 0x7FF0000000000000),
}  # fmt: skip


def _finite(piece: np.ndarray, dtype: str) -> bool:
    if dtype not in _BITS:
        return bool(np.isfinite(as_float(piece, dtype)).all())
    unsigned, size, infinite = _BITS[dtype]
    return int((piece.view(unsigned) & unsigned(size)).max()) < infinite


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit by bit; the first numbers tell most that differ."""
    if one[:64].tobytes() != other[:64].tobytes():
        return False
    wide = np.uint64 if one.nbytes % 8 == 0 else np.uint8
    return bool(np.array_equal(one.view(wide), other.view(wide)))


def _raw(tensor: StoredTensor) -> Iterator[np.ndarray]:
    stored = tensor.stored()
    for start in range(0, tensor.count, PIECE):
        yield stored[start : start + PIECE]
