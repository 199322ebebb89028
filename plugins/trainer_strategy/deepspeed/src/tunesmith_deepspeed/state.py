"""What trains and the optimizer's state, from ZeRO's flat pieces to whole tensors by name and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tunesmith_torch.api.training import MODEL, OPTIMIZER, capturable, read_state, trained, write_state

Whole = Callable[[torch.nn.Parameter], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Piece:
    """What this rank has of a parameter.

    Args:
        group: number of the group that is stepped at a time.
        flat: the tensor that the optimizer steps on: pieces of many parameters.
        start: of the piece in `flat`.
        offset: of the piece in the flattened parameter.
        numel: of the piece; 0 where other ranks have it all.
        shape: of the parameter.
    """

    group: int
    flat: torch.Tensor
    start: int
    offset: int
    numel: int
    shape: torch.Size

    def gathered(self, flat: torch.Tensor, device: torch.device) -> torch.Tensor:
        """The whole of which `flat` has a piece where `self.flat` has the parameter's; on the first rank."""
        whole = torch.zeros(self.shape.numel(), dtype=flat.dtype, device=device)
        whole[self.offset : self.offset + self.numel] = flat[self.start : self.start + self.numel]
        dist.reduce(whole, dst=0)
        return whole.view(self.shape)

    def put(self, flat: torch.Tensor, whole: torch.Tensor) -> None:
        """The inverse, from a `whole` on every rank."""
        flat[self.start : self.start + self.numel] = whole.flatten()[self.offset : self.offset + self.numel].to(flat.device)


def pieces(zero: Any) -> dict[torch.nn.Parameter, Piece]:
    """Args:
    zero: DeepSpeed's optimizer of any stage.
    """
    return dict(_of_stage_3(zero) if hasattr(zero, "fp16_partitioned_groups") else _of_stages_1_and_2(zero))


def _of_stages_1_and_2(zero: Any) -> Iterator[tuple[torch.nn.Parameter, Piece]]:
    for number, (group, flat) in enumerate(zip(zero.bit16_groups, zero.single_partition_of_fp32_groups, strict=True)):
        for parameter in group:
            found = parameter._hp_mapping
            if found is None:
                yield parameter, Piece(number, flat, 0, 0, 0, parameter.shape)
            else:
                at, of = found.hp_fragment_address, found.lp_fragment_address
                yield parameter, Piece(number, flat, at.start, of.start, of.numel, parameter.shape)


def _of_stage_3(zero: Any) -> Iterator[tuple[torch.nn.Parameter, Piece]]:
    for group in zero.fp16_groups:
        for parameter in group:
            number, start, size = zero.grad_position[zero.get_param_id(parameter)]
            offset = size * zero._get_param_partition_rank(parameter)
            numel = max(0, min(size, parameter.ds_numel - offset))  # the last ranks' are filled up
            flat = zero.fp32_partitioned_groups_flat[number]
            yield parameter, Piece(number, flat, start, min(offset, parameter.ds_numel), numel, parameter.ds_shape)


@contextmanager
def _in_memory(zero: Any, number: int, *, changed: bool = False) -> Iterator[None]:
    """Within it, what of a group lies on a disk is in memory; it goes back if it was `changed`."""
    away = getattr(zero, "swap_optimizer", False) and zero._swappable_optimizer_subgroup(number)
    if away:
        zero._optimizer_states_and_gradient_swap_in(number)
    yield
    if away and changed:
        zero._optimizer_states_and_gradient_swap_out(number)
    elif away:
        zero._release_swap_buffers(number)


def discard(zero: Any) -> None:
    """Forget gradients, also those that no step was made with: what DeepSpeed does when they overflow."""
    zero.zero_grad(set_to_none=True)
    if zero.cpu_offload if hasattr(zero, "cpu_offload") else zero.offload_optimizer:
        zero.reset_cpu_buffers()
    elif hasattr(zero, "fp16_partitioned_groups"):
        zero.averaged_gradients = {}
    else:
        for group in zero.averaged_gradients:
            zero.averaged_gradients[group] = zero.all_grad_tensors[group] = None


def _by_group(model: torch.nn.Module, zero: Any) -> Iterator[tuple[int, list[tuple[str, torch.nn.Parameter, Piece]]]]:
    found = pieces(zero)
    named = sorted(((name, one, found[one]) for name, one in trained(model)), key=lambda each: each[2].group)
    for number, each in groupby(named, key=lambda each: each[2].group):
        yield number, list(each)


@torch.no_grad()
def save(model: torch.nn.Module, zero: Any, state: Mapping[Any, Any] | None, directory: Path, device: torch.device) -> None:
    """Write all of it whole, from the first rank's host memory.

    Args:
        state: the optimizer's, by flat tensor; None: parameters only.
    """
    first, written = dist.get_rank() == 0, {}

    def keep(name: str, value: torch.Tensor) -> None:
        if first:
            written[name] = value.cpu()

    for number, named in _by_group(model, zero):
        with _in_memory(zero, number):
            for name, _, piece in named:
                keep(MODEL + name, piece.gathered(piece.flat.detach(), device))
                for key, value in (state or {}).get(piece.flat, {}).items():
                    in_pieces = torch.is_tensor(value) and value.shape == piece.flat.shape
                    keep(f"{OPTIMIZER}{name}/{key}", piece.gathered(value, device) if in_pieces else torch.as_tensor(value).clone())
    if first:
        write_state(written, directory)


@torch.no_grad()
def load(model: torch.nn.Module, zero: Any, optimizer: torch.optim.Optimizer, directory: Path, whole: Whole) -> None:
    """The inverse, of what any strategy wrote.

    Args:
        whole: of a parameter: a context in which it is whole, and after which what the first rank made of it is every rank's.

    Raises:
        ValueError: the state is of other parameters.
    """
    state = read_state(directory)
    if {MODEL + name for name, _ in trained(model)} != {name for name in state if name.startswith(MODEL)}:
        raise ValueError("the state is of a model whose trained parameters have other names")
    keys: dict[str, list[str]] = {}
    for entry in state:
        if entry.startswith(OPTIMIZER):
            name, _, key = entry.removeprefix(OPTIMIZER).rpartition("/")
            keys.setdefault(name, []).append(key)
    for number, named in _by_group(model, zero):
        with _in_memory(zero, number, changed=True):
            moments: dict[str, torch.Tensor] = {}
            for name, parameter, piece in named:
                value = state[MODEL + name]
                piece.put(piece.flat, value)
                with whole(parameter):
                    parameter.data.copy_(value)
                for key in keys.get(name, ()):
                    value = state[f"{OPTIMIZER}{name}/{key}"]
                    if key == "step" or value.shape != piece.shape:
                        moments[key] = value.to(piece.flat.device) if capturable(optimizer) else value.clone()
                    else:
                        piece.put(moments.setdefault(key, torch.zeros_like(piece.flat, dtype=value.dtype)), value)
            if moments:
                optimizer.state[named[0][2].flat] = moments
