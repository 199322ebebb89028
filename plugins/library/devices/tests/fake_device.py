"""A fake device: PyTorch's PrivateUse1 under the name `faketpu`, whose kernels are the processor's. No hardware is behind it.

What torch dispatches to it is real: each operator, forward and backward, is looked up for this device and computed by `_Kernels`, so one
that is wrong on purpose is wrong for this device alone. Start it once in a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "faketpu"
Spoil = Callable[[str, Any], Any]
_LIBRARIES: list[torch.library.Library] = []
_VALUES: dict[int, torch.Tensor] = {}  # by the address of a storage, which torch's own views of a tensor share with it


class OnDevice(torch.Tensor):
    """A tensor on the fake device."""


def _put(raw: Any) -> Any:
    if not isinstance(raw, torch.Tensor):
        return raw
    made = torch._C._acc.create_empty_tensor(list(raw.shape), raw.dtype)
    made.__class__ = OnDevice
    _VALUES[made.untyped_storage()._cdata] = raw
    return made


def _get(one: Any) -> Any:
    if not isinstance(one, torch.Tensor) or one.device.type != NAME:
        return one
    raw = _VALUES[one.untyped_storage()._cdata]
    own = raw.shape == one.shape and one.is_contiguous()
    return raw if own else raw.contiguous().as_strided(one.size(), one.stride(), one.storage_offset())


def start(spoil: Spoil = lambda name, result: result) -> None:
    """Make torch know the device.

    Args:
        spoil: is given an operator's name (``aten::mm``) and what the processor computed, and gives what the device says.
    """
    _setup_privateuseone_for_python_backend(NAME)
    every, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    _LIBRARIES.extend((every, aten))

    def computed(operator: Any, *args: Any, **kwargs: Any) -> Any:
        place = kwargs.pop("device", None)
        given, kwargs_given = args, kwargs
        args, kwargs = tree_map(_get, (args, kwargs))
        if operator.name() == "aten::as_strided":  # its strides are those of the device's tensor, which is dense
            args = (args[0].contiguous(), *args[1:])
        kinds = [str(argument.type) for argument in operator._schema.arguments]
        args = tuple(
            torch.tensor(one) if kind == "Tensor" and isinstance(one, int | float) else one for kind, one in zip(kinds, args, strict=False)
        )
        result = operator(*args, **kwargs)
        if operator._schema.name.endswith("_"):  # in place
            return given[0]
        if place is not None and torch.device(place).type == "cpu":
            return result
        said = spoil(operator.name(), result)
        outs = [kwargs_given[argument.name] for argument in operator._schema.arguments if argument.is_out]
        if outs:  # torch goes on with the tensors that it gave, not with what is returned
            for out, values in zip(outs, said if len(outs) > 1 else [said], strict=True):
                _get(out).copy_(values)
            return tuple(outs) if len(outs) > 1 else outs[0]
        return tree_map(_put, said)

    def copied(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
        _get(target).copy_(_get(source))
        return target

    every.fallback(computed, "PrivateUse1")
    aten.impl("_copy_from", copied, "PrivateUse1")
    aten.impl("empty_strided", lambda size, stride, dtype=None, **_: _put(torch.empty_strided(size, stride, dtype=dtype)), "PrivateUse1")
    aten.impl("empty.memory_format", lambda size, dtype=None, **_: _put(torch.empty(size, dtype=dtype)), "PrivateUse1")
    for packet, overload in (
        ("logsumexp", "default"),
        ("all", "dim"),
        ("arange", "default"),
        ("arange", "start"),
        ("arange", "start_step"),
    ):
        kernel = getattr(getattr(torch.ops.aten, packet), overload)  # torch would have them written into tensors of another size
        aten.impl(kernel.name().removeprefix("aten::"), partial(computed, kernel), "PrivateUse1")
    for name in ("convolution", "convolution_backward"):  # what torch calls the kernels that a backend brings itself
        operator = getattr(torch.ops.aten, name).default
        aten.impl(f"{name}_overrideable", _convolution(computed, operator), "PrivateUse1")


def _convolution(computed: Callable[..., Any], operator: Any) -> Callable[..., Any]:
    if "backward" not in operator.name():
        return lambda *args: computed(operator, *args)
    return lambda gradient, x, weight, *rest: computed(operator, gradient, x, weight, None, *rest)
