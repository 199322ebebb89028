"""Types of numbers: how many bytes they take, and which one a step computes in. One rule for every step, for plan and run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

#: bytes of a number, by the name of its type
BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "float64": 8.0, "int8": 1.0}
AUTO, WHOLE, BRAIN, HALF = "auto", "float32", "bfloat16", "float16"


class Computing(Protocol):
    """What a step computes on: a `Placement` or an `EstimateRequest`."""

    device: str
    dtypes: tuple[str, ...]


def stored_type(config: Mapping[str, Any]) -> str:
    """The type of the weights that a ``config.json`` describes; empty where it does not say."""
    text = config.get("text_config")
    places = (config, text if isinstance(text, Mapping) else {})
    return next((str(place[key]) for place in places for key in ("dtype", "torch_dtype") if place.get(key)), "")


def compute_type(asked: str, stored: str, on: Computing, *, training: bool = False) -> tuple[str, str]:
    """The type to compute in, and the reason.

    A type that a device does not compute in natively is emulated, several times slower than float32. What is written keeps the type that it
    had, whatever it was computed in.

    Args:
        asked: by a setting; ``auto`` leaves it to this rule.
        stored: of the model's weights; empty if unknown.
        on: the device, and its native types.
        training: float16, whose gradients have to be scaled, is the choice only where bfloat16 is emulated; what is stored does not count.
    """
    native = on.dtypes
    if asked != AUTO:
        slow = "" if asked in native or asked == WHOLE else f", though {on.device} has no native {asked}, so that it is slow"
        return asked, f"the setting says so{slow}"
    if training:
        if BRAIN in native:
            return BRAIN, f"{on.device} computes in it natively; what trains is kept in float32"
        if HALF in native and on.device != "cpu":
            return HALF, f"{on.device} computes in it natively, and not in bfloat16; losses are scaled, what trains is kept in float32"
        return WHOLE, f"{on.device} has no native bfloat16"
    if stored not in (BRAIN, HALF):
        return WHOLE, "the model's weights are in it" if stored == WHOLE else "the type of the model's weights is not known"
    if stored in native:
        return stored, f"the model's weights are in it, and {on.device} computes in it natively"
    other = BRAIN if stored == HALF else HALF
    # A processor has memory enough for float32, which holds every number of both.
    if other in native and (other == BRAIN or on.device != "cpu"):
        return other, f"the model's weights are in {stored}, and {on.device} computes natively in this type of the same size"
    return WHOLE, f"the model's weights are in {stored}, in which {on.device} does not compute natively"
