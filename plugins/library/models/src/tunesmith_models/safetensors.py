"""Safetensors files by their headers: whether they are whole, and which tensors are in them; standard library only.

A file is 8 bytes with the header's length (little endian), a JSON header that gives each tensor's shape and byte range, then the bytes.
Source: the section "Format" of the README of safetensors.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from tunesmith.errors import UserError

_LARGEST_HEADER = 100_000_000  # the limit of the reference implementation

Shape = tuple[int, ...]


def check_files(directory: Path) -> None:
    """Refuse safetensors that are not whole, and an index that names a file which is not there.

    Raises:
        UserError: TS-MODEL-008.
    """
    for path in sorted(directory.glob("*.safetensors")):
        shapes(path)
    for index in sorted(directory.glob("*.safetensors.index.json")):
        try:
            named = {str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UserError("TS-MODEL-008", f"{index} is no index of weights.", why=str(error), fix="Fetch the file again.") from None
        check_shards(index, named - {path.name for path in directory.iterdir()})


def check_shards(index: Path, absent: Iterable[str]) -> None:
    """
    Raises:
        UserError: TS-MODEL-008 when files that `index` names are absent.
    """
    names = sorted(absent)
    if names:
        raise UserError(
            "TS-MODEL-008", f"{index.parent} lacks {len(names)} of its weight files: {', '.join(names[:3])}.",
            why=f"{index.name} names them.", fix="Fetch the files again.",
        )  # fmt: skip


def shapes(path: Path) -> dict[str, Shape]:
    """Each tensor's shape by its name.

    Raises:
        UserError: TS-MODEL-008 when it is not safetensors or not whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start + file.read(32) == b"version https://git-lfs.github.com/spec/"[:40]:
            raise _damaged(path, "it is a Git LFS pointer, not the file itself", "Run `git lfs pull` where the model was cloned.")
        file.seek(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise _damaged(path, f"its header says {length} bytes, the file has {size}")
        try:
            tensors = {name: entry for name, entry in json.loads(file.read(length)).items() if name != "__metadata__"}
            end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
            found = {name: tuple(entry["shape"]) for name, entry in tensors.items()}
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
            raise _damaged(path, "its header can't be read") from error
    if not isinstance(end, int) or 8 + length + end != size:
        raise _damaged(path, f"it should have {8 + length + end if isinstance(end, int) else '?'} bytes, it has {size}")
    return found


def irregular(directory: Path) -> tuple[list[str], list[str]]:
    """Names that numbered neighbours lead one to expect and that are not there (`experts.3.up` beside `experts.3.down` and
    `experts.2.up`), and names whose shape is another than that of most with other numbers.

    Raises:
        UserError: TS-MODEL-008.
    """
    found = {name: shape for path in sorted(directory.glob("*.safetensors")) for name, shape in shapes(path).items()}
    kinds: defaultdict[str, dict[str, Shape]] = defaultdict(dict)
    numbers: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for name, shape in found.items():
        kind = re.sub(r"\b\d+\b", "{}", name)
        kinds[kind][name] = shape
        numbers[kind.rpartition("{}")[0]].add(tuple(re.findall(r"\b\d+\b", name)))
    missing = [name for kind in kinds for these in numbers[kind.rpartition("{}")[0]] if (name := kind.format(*these)) not in found]
    odd = [name for shapes_ in kinds.values() for name, shape in shapes_.items() if shape != Counter(shapes_.values()).most_common(1)[0][0]]
    return missing, odd


def _damaged(path: Path, why: str, fix: str = "Fetch the file again.") -> UserError:
    return UserError("TS-MODEL-008", f"{path} is not a whole safetensors file.", why=why[0].upper() + why[1:] + ".", fix=fix)
