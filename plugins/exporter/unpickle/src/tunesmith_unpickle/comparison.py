"""Whether safetensors hold what a pickle holds, to the last bit, by a reader that shares nothing with the one that converted it."""

from __future__ import annotations

import json
import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.contracts import TunesmithError
from tunesmith_unpickle.tensor_records import TensorRecord, read


def compare(pickled: Path, converted: Path) -> int:
    """The number of tensors.

    Raises:
        NotTensors: the pickle holds something else.
        TunesmithError: TS-MODEL-028 where they differ.
    """
    with converted.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        (length,) = struct.unpack_from("<Q", data)
        header = {name: entry for name, entry in json.loads(data[8 : 8 + length]).items() if name != "__metadata__"}
        missing = set(header)
        for name, tensor, storage in read(pickled):
            if name not in header:
                raise _differs(pickled, name, "it is missing")
            said = header[name]
            if (said["dtype"], tuple(said["shape"])) != (tensor.storage.dtype, tensor.shape):
                raise _differs(pickled, name, f"it is {said['dtype']} {said['shape']}")
            if not _equal(tensor, storage, data, 8 + length + said["data_offsets"][0]):
                raise _differs(pickled, name, "its numbers are others")
            missing.discard(name)
        if missing:
            raise _differs(pickled, min(missing), "the pickle has none of this name")
        return len(header)


def _equal(tensor: TensorRecord, storage: memoryview, data: Any, start: int) -> bool:
    count = int(np.prod(tensor.shape, dtype=np.int64))
    if start + count * tensor.storage.size > len(data):
        return False
    written = np.frombuffer(data, dtype=f"<u{tensor.storage.size}", count=count, offset=start).reshape(tensor.shape)
    same = bool(np.array_equal(tensor.values(storage), written))
    del written  # it holds the map open
    return same


def _differs(pickled: Path, name: str, how: str) -> TunesmithError:
    return TunesmithError(
        "TS-MODEL-028", f"What was read out of {pickled.name} is not what it holds: `{name}` differs.", why=f"In the safetensors {how}.",
        fix="Use a revision of the model that has *.safetensors, and report this with the file's SHA-256.",
    )  # fmt: skip
