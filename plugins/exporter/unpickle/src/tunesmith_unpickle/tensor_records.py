"""What tensors a file of `torch.save` holds, found without running any of it and without PyTorch.

A pickle is a program whose instructions may call what it names. This reader knows ten names, none of which does anything but make a record:
whatever else is named ends the reading. Both formats are read: archives, since PyTorch 1.6, and pickles in a row before that
(torch/serialization.py).
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the format before 1.6
#: PyTorch's storage -> the dtype in safetensors, and its bytes
STORAGES = {
    "FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}  # fmt: skip
#: the names that tensors are made of
NAMES = {
    "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    *(f"torch.{name}" for name in STORAGES),
}  # fmt: skip


class NotTensors(Exception):
    """The file holds something else than a state dictionary; the text says what, as a sentence."""


@dataclass(frozen=True)
class Storage:
    key: str
    dtype: str
    size: int  # bytes of one number
    count: int


@dataclass(frozen=True)
class TensorRecord:
    """Where a tensor's numbers lie; `offset` and `stride` count numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def values(self, data: memoryview) -> Any:
        """Its numbers as unsigned ones of their size, so that they are compared by their bits.

        Raises:
            NotTensors: when they would lie outside of the storage.
        """
        whole = np.frombuffer(data, dtype=f"<u{self.storage.size}")
        last = self.offset + sum((length - 1) * step for length, step in zip(self.shape, self.stride, strict=True))
        if 0 in self.shape:
            return np.empty(self.shape, whole.dtype)
        if min((self.offset, *self.shape, *self.stride)) < 0 or last >= len(whole):
            raise NotTensors("A tensor reaches out of its storage.")
        strides = [step * self.storage.size for step in self.stride]
        return np.lib.stride_tricks.as_strided(whole[self.offset :], self.shape, strides, writeable=False)


def read(path: Path) -> Iterator[tuple[str, TensorRecord, memoryview]]:
    """(Name, record, the bytes of its storage) of each tensor; a storage's tensors follow each other.

    Raises:
        NotTensors: where the file holds anything else.
    """
    try:
        if zipfile.is_zipfile(path):
            yield from _of_archive(path)
        else:
            yield from _of_pickles(path)
    except (NotTensors, GeneratorExit):
        raise
    except Exception as error:  # a stranger wrote what is read
        raise NotTensors(f"It can't be read: {type(error).__name__} {error}.") from None


def _of_archive(path: Path) -> Iterator[tuple[str, TensorRecord, memoryview]]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        roots = [name.removesuffix("data.pkl") for name in names if name.rpartition("/")[2] == "data.pkl"]
        if len(roots) != 1:
            raise NotTensors(f"It has {len(roots)} files `data.pkl`.")
        if f"{roots[0]}byteorder" in names and archive.read(f"{roots[0]}byteorder").strip() != b"little":
            raise NotTensors("Its numbers begin with their largest byte.")
        with archive.open(f"{roots[0]}data.pkl") as file:
            tensors = _state(_TensorUnpickler(cast(BinaryIO, file)).load())
        for storage, named in _by_storage(tensors).items():
            data = memoryview(archive.read(f"{roots[0]}data/{storage.key}"))
            yield from ((name, tensor, data) for name, tensor in named)


def _of_pickles(path: Path) -> Iterator[tuple[str, TensorRecord, memoryview]]:
    with path.open("rb") as file:
        if _TensorUnpickler(file).load() != _MAGIC or _TensorUnpickler(file).load() != _PROTOCOL:
            raise NotTensors("It is no file of torch.save.")
        if not _TensorUnpickler(file).load().get("little_endian"):
            raise NotTensors("Its numbers begin with their largest byte.")
        tensors = _state(_TensorUnpickler(file).load())
        by_key = {storage.key: (storage, named) for storage, named in _by_storage(tensors).items()}
        for key in _TensorUnpickler(file).load():
            storage, named = by_key[key]
            (count,) = struct.unpack("<q", file.read(8))
            data = memoryview(file.read(count * storage.size))
            yield from ((name, tensor, data) for name, tensor in named)


def _state(loaded: Any) -> Mapping[str, TensorRecord]:
    if not isinstance(loaded, dict) or not loaded:
        raise NotTensors(f"It holds no state dictionary, but {type(loaded).__name__}.")
    other = [str(name) for name, value in loaded.items() if not (isinstance(name, str) and isinstance(value, TensorRecord))]
    if other:
        raise NotTensors(f"It holds something else than tensors: {', '.join(other[:5])}.")
    return loaded


def _by_storage(tensors: Mapping[str, TensorRecord]) -> dict[Storage, list[tuple[str, TensorRecord]]]:
    found: dict[Storage, list[tuple[str, TensorRecord]]] = {}
    for name, tensor in tensors.items():
        found.setdefault(tensor.storage, []).append((name, tensor))
    return found


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8")

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in NAMES:
            raise NotTensors(f"It names `{module}.{name}`, which no tensor is made of.")
        if module == "torch":
            return name
        return {"OrderedDict": OrderedDict, "_rebuild_tensor_v2": _tensor, "_rebuild_parameter": _parameter}[name]

    def persistent_load(self, said: Any) -> Storage:
        word, dtype, key, _, count, *rest = said
        if word != "storage" or any(view is not None for view in rest):
            raise NotTensors("It names a storage in a way that is not known.")
        return Storage(str(key), *STORAGES[dtype], int(count))


def _tensor(storage: Storage, offset: int, shape: Any, stride: Any, *rest: Any) -> TensorRecord:
    if not isinstance(storage, Storage):
        raise NotTensors("It makes a tensor of something else than a storage.")
    return TensorRecord(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _parameter(data: TensorRecord, *rest: Any) -> TensorRecord:
    return data
