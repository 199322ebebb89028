"""The self-test: every operator on a device, forward and backward, in each type of numbers, against float64.

What float64 gives is stored (`answers.json`, see `stored_answers`) as a few numbers of each tensor; the whole tensors come from the
processor, in float64, and are held against what is stored before they judge anything. Each case is computed three times, for there are
devices whose gradients are wrong now and then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_devices.operators import OPERATORS, Index, Operator, Shape
from tunesmith_devices.outcome import remember

ANSWERS = Path(__file__).with_name("answers.json")
TIMES = 3
#: largest difference from float64 that counts as right, as a share of a tensor's largest value: of sound hardware it is below a tenth of it
LIMITS = {"float32": 1e-3, "float16": 1e-2, "bfloat16": 6e-2, "float64": 1e-9}
SAMPLES = 8


def run(backend: str, torch_name: str, devices: Sequence[Device]) -> Iterator[dict[str, Any]]:
    """Try each device, yield a mapping a case (see the contract of device backends), and remember the outcome.

    Args:
        torch_name: what torch calls these devices.
    """
    for number, device in enumerate(devices):
        place = torch.device(torch_name) if torch_name == "cpu" else torch.device(torch_name, number)
        cases = []
        for case in tried(place, _types(device)):
            cases.append(case)
            yield {"device": device.name, **case}
        remember(backend, device, torch.__version__, cases)


def _types(device: Device) -> Sequence[str]:
    """Those that its backend names, and those that an earlier outcome took from it."""
    return tuple(dict.fromkeys((*device.dtypes, *device.facts.get("refused_dtypes", ()))))


def tried(place: torch.device, dtypes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A mapping a case of one device."""
    for dtype in dtypes:
        for name, operator in OPERATORS.items():
            for shape, inputs in operator.shapes.items() if dtype in (operator.only or LIMITS) else ():
                why = _why_wrong(place, dtype, name, shape, operator, inputs)
                yield {"operator": name, "shape": shape, "dtype": dtype, "passed": not why, "why": why}


def _why_wrong(place: torch.device, dtype: str, name: str, shape: str, operator: Operator, inputs: Sequence[Shape]) -> str:
    expected = right_answers(operator, inputs, dtype)
    if not _as_stored(f"{name}, {shape}, {dtype}", expected):
        return "the processor's own float64 is not what is stored"
    for _ in range(TIMES):
        try:
            found = computed(operator, inputs, dtype, place, getattr(torch, dtype))
        except Exception as error:  # of whatever kind a device's library raises
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:200]
        for part, tensor in found.items():
            if not torch.isfinite(tensor).all():
                return f"{part} is not finite"
            largest = expected[part].abs().max().item() or 1.0
            off = (tensor - expected[part]).abs().max().item() / largest
            if off > LIMITS[dtype]:
                return f"{part} is {off:.2g} of its largest value off, {LIMITS[dtype]:g} at most is right"
    return ""


def computed(
    operator: Operator, inputs: Sequence[Shape], dtype: str, place: torch.device, computes: torch.dtype
) -> dict[str, torch.Tensor]:
    """Result and gradients, as float64 on the processor.

    Args:
        dtype: that the inputs are rounded to.
        computes: dtype to compute in: another than `dtype` for the right answers.
    """
    given = [_input(shape, number, dtype, place, computes) for number, shape in enumerate(inputs)]
    if operator.backward:
        for tensor in given:
            if tensor.is_floating_point():
                tensor.requires_grad_()
    result = operator.compute(*given)
    found = {"the result": result}
    if operator.backward:
        weight = _values(result.numel(), 97, dtype).reshape(result.shape).to(device=place, dtype=computes)
        result.backward(weight)
        found |= {f"the gradient of input {number}": one.grad for number, one in enumerate(given, 1) if one.grad is not None}
    return {part: tensor.detach().to("cpu").double() for part, tensor in found.items()}


def right_answers(operator: Operator, inputs: Sequence[Shape], dtype: str) -> dict[str, torch.Tensor]:
    """What float64 gives on the processor for inputs that are rounded to a dtype."""
    return computed(operator, inputs, dtype, torch.device("cpu"), torch.float64)


def _input(shape: Shape, number: int, dtype: str, place: torch.device, computes: torch.dtype) -> torch.Tensor:
    if isinstance(shape, Index):
        return (torch.arange(math.prod(shape.shape)) * 7 % shape.below // 2).reshape(shape.shape).to(place)
    return _values(math.prod(shape), number, dtype).reshape(shape).to(device=place, dtype=computes)


@cache
def _values(count: int, number: int, dtype: str) -> torch.Tensor:
    """Values between -1 and 1 that are the same everywhere: no generator of random numbers is."""
    return torch.sin(torch.arange(count, dtype=torch.float64) * 0.7548776662 + 1.3 * number).to(getattr(torch, dtype))


def digest(tensor: torch.Tensor) -> list[float]:
    """A few numbers of a tensor: its norm, its product with a wave, and some of its values."""
    flat = tensor.reshape(-1)
    wave = torch.cos(torch.arange(flat.numel(), dtype=torch.float64))
    chosen = flat[:: max(1, flat.numel() // SAMPLES)][:SAMPLES]
    return [flat.norm().item(), (flat @ wave).item(), *chosen.tolist()]


@cache
def _stored() -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = json.loads(ANSWERS.read_text("utf-8"))
    return found


def _as_stored(case: str, answers: dict[str, torch.Tensor]) -> bool:
    stored = _stored()[case]
    if stored.keys() != answers.keys():
        return False
    return all(
        math.isclose(known, now, rel_tol=1e-9, abs_tol=1e-9 * stored[part][0])
        for part, tensor in answers.items()
        for known, now in zip(stored[part], digest(tensor), strict=True)
    )
