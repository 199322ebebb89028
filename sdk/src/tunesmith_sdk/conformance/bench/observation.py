"""What a provider's work leaves, taken apart into places that two runs can be compared in."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import hashlib
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith_sdk.conformance.checks import CheckFailed

CALL, FAILED, LOG, REFUSED, REQUEST = "call", "failed", "log", "refused", "request"
_SHOWN = 40  # entries of an argument that are looked at

Places = dict[str, str]


def of_value(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """The places below a value: leaves of mappings and lists apart, tensors by their bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key in value:
            yield from of_value(f"{place}.{key}", value[key])
    elif isinstance(value, (list, tuple)):
        yield f"{place}[]", str(len(value))
        for number, item in enumerate(value):
            yield from of_value(f"{place}[{number}]", item)
    elif hasattr(value, "untyped_storage"):
        yield place, _of_tensor(value)
    else:
        yield place, repr(value)


def _of_tensor(tensor: Any) -> str:
    flat = tensor.detach().cpu().contiguous()
    data = ctypes.string_at(flat.data_ptr(), flat.numel() * flat.element_size()) if flat.numel() else b""  # torch may be without numpy
    return f"{flat.dtype} {tuple(flat.shape)} {hashlib.sha256(data).hexdigest()[:16]}"


def of_files(folder: Path) -> Iterator[tuple[str, str]]:
    """The places of the files below a folder: tensors of safetensors and leaves of JSON apart, others by their bytes."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".safetensors":
            yield from ((f"{name}:{tensor}", digest) for tensor, digest in _of_safetensors(path.read_bytes()))
        elif path.suffix in (".json", ".jsonl"):
            lines = path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text(encoding="utf-8")]
            for number, line in enumerate(lines):
                yield from of_value(f"{name}:{number}" if number else name, json.loads(line))
        else:
            yield name, hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _of_safetensors(data: bytes) -> Iterator[tuple[str, str]]:
    """What stands beside the tensors (`__metadata__`) is words about them."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            yield name, f"{entry['dtype']} {entry['shape']} {hashlib.sha256(data[start + begin : start + end]).hexdigest()[:16]}"


class Heard:
    """What a step reports: its log and decisions line by line, metrics by name. Progress is for the eye."""

    def __init__(self) -> None:
        self.places: Places = {}

    def __call__(self, method: str, said: Mapping[str, Any]) -> None:
        if method == "$/metric":
            self.places[f"metric.{said['name']}.{said['at']}"] = repr(said["value"])
        elif method in ("$/log", "$/decision"):
            text = " ".join(str(said.get(key, "")) for key in ("message", "what", "reason")).strip()
            self.places[f"{LOG}[{len(self.places)}]"] = text


@contextmanager
def recorded(target: str, package: str) -> Iterator[list[str]]:
    """Calls of a library's function while the block runs, by their arguments: ``package.module:function`` or ``...:Class.method``.

    Args:
        package: the plugin's own, whose functions are no library's.

    Raises:
        CheckFailed: there is none of that name, or it is the plugin's own.
    """
    calls: list[str] = []
    if not target:
        yield calls
        return
    module, _, path = target.partition(":")
    if module.partition(".")[0] == package:
        raise CheckFailed(f"the effect `{target}` is in the plugin's own code", fix="Name what it calls of a library.")
    owner: Any = None
    try:
        owner = importlib.import_module(module)
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        real = getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise CheckFailed(f"there is no `{target}` for the effect to show in: {error}", fix="Name a function that is called.") from error

    @functools.wraps(real)
    def spy(*args: Any, **kwargs: Any) -> Any:
        calls.append(_argument([*args, kwargs]))
        return real(*args, **kwargs)

    holders = [owner, *(one for one in list(sys.modules.values()) if one is not owner and vars(one).get(name) is real)]
    for holder in holders:
        setattr(holder, name, spy)
    try:
        yield calls
    finally:
        for holder in holders:
            setattr(holder, name, real)


def _argument(value: Any) -> str:
    """An argument of a call as text: plain values as they are, tensors by their shape, others by their name or class."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_argument(item)}" for key, item in list(value.items())[:_SHOWN]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_argument, value[:_SHOWN])) + "]"
    if hasattr(value, "untyped_storage"):
        return f"{value.dtype}{tuple(value.shape)}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if hasattr(value, field.name)}
        return type(value).__name__ + _argument(made)  # of one whose `__init__` is called, nothing yet
    requests = sys.modules.get("urllib.request")  # there is none where nobody has imported it
    if requests and isinstance(value, requests.Request):
        return f"{value.get_method()} {value.selector} {value.headers} {value.data!r}"
    if value is None or (type(value).__module__ in ("builtins", "datetime", "torch") and not callable(value)):
        return repr(value)
    return str(getattr(value, "__qualname__", type(value).__name__))


def difference(one: Places, other: Places, old: Any, new: Any) -> str:
    """The place in which two runs differ by more than the setting's own value, which went from `old` to `new`; empty if in none.

    Of several the most telling one: a refusal, a failure, numbers, then words.
    """
    for place in (REFUSED, FAILED):
        if one.get(place) != other.get(place):
            return place
    for place in sorted({*one, *other}, key=rank):
        before, after = one.get(place, ""), other.get(place, "")
        if before != after and not _echo(place, before, after, old, new):
            return place
    return ""


def rank(place: str) -> tuple[bool, bool, str]:
    """The order of places from telling to less so."""
    return place.startswith(LOG), ".json" in place, place


def _echo(place: str, before: str, after: str, old: Any, new: Any) -> bool:
    """Whether a difference is no more than the value, told again."""
    if place.startswith(LOG):
        return before.replace(str(old), "·") == after.replace(str(new), "·")
    if place.startswith((CALL, REQUEST)):
        return False
    return before in ("", repr(old)) and after in ("", repr(new)) and (before, after) != ("", "")
