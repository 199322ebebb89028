"""What trains and the optimizer's state, from ZeRO's flat pieces to whole tensors by name and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tunesmith_torch.api.training import MODEL, OPTIMIZER, capturable, read_state, trained, write_state


@dataclass(frozen=True)
class Piece:
    """What this rank has of a parameter.

    Args:
        flat: the tensor that the optimizer steps on: pieces of many parameters.
        start: of the piece in `flat`.
        offset: of the piece in the flattened parameter.
        numel: of the piece; 0 where other ranks have it all.
        shape: of the parameter.
    """

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
    for group, flat in zip(zero.bit16_groups, zero.single_partition_of_fp32_groups, strict=True):
        for parameter in group:
            found = parameter._hp_mapping
            if found is None:
                yield parameter, Piece(flat, 0, 0, 0, parameter.shape)
            else:
                at, of = found.hp_fragment_address, found.lp_fragment_address
                yield parameter, Piece(flat, at.start, of.start, of.numel, parameter.shape)


def _of_stage_3(zero: Any) -> Iterator[tuple[torch.nn.Parameter, Piece]]:
    for group in zero.fp16_groups:
        for parameter in group:
            number, start, size = zero.grad_position[zero.get_param_id(parameter)]
            offset = size * zero._get_param_partition_rank(parameter)
            numel = max(0, min(size, parameter.ds_numel - offset))  # the last ranks' are filled up
            yield parameter, Piece(zero.fp32_partitioned_groups_flat[number], start, min(offset, parameter.ds_numel), numel, parameter.ds_shape)


@torch.no_grad()
def save(model: torch.nn.Module, zero: Any, state: dict[Any, Any] | None, directory: Path, device: torch.device) -> None:
    """Write all of it whole, from the first rank's host memory.

    Args:
        state: the optimizer's, by flat tensor; None: parameters only.
    """
    first, found, written = dist.get_rank() == 0, pieces(zero), {}

    def keep(name: str, value: torch.Tensor) -> None:
        if first:
            written[name] = value.cpu()

    for name, parameter in trained(model):
        piece = found[parameter]
        keep(MODEL + name, piece.gathered(piece.flat.detach(), device))
        for key, value in (state or {}).get(piece.flat, {}).items():
            in_pieces = torch.is_tensor(value) and value.shape == piece.flat.shape
            keep(f"{OPTIMIZER}{name}/{key}", piece.gathered(value, device) if in_pieces else torch.as_tensor(value).clone())
    if first:
        write_state(written, directory)


@torch.no_grad()
def load(model: torch.nn.Module, zero: Any, optimizer: torch.optim.Optimizer, directory: Path, whole: Any) -> None:
    """The inverse, of what any strategy wrote.

    Args:
        whole: of a parameter: a context in which it is whole, and after which what the first rank made of it is every rank's.

    Raises:
        ValueError: the state is of other parameters.
    """
    parameters, found = dict(trained(model)), pieces(zero)
    moments: dict[torch.Tensor, dict[str, torch.Tensor]] = {}
    missing = set(parameters)
    for entry, value in read_state(directory):
        name, key = entry.removeprefix(MODEL), ""
        if entry.startswith(OPTIMIZER):
            name, _, key = entry.removeprefix(OPTIMIZER).rpartition("/")
        if name not in parameters:
            raise ValueError("the state is of a model whose trained parameters have other names")
        piece = found[parameters[name]]
        if not key:
            missing.remove(name)
            piece.put(piece.flat, value)
            with whole(parameters[name]):
                parameters[name].data.copy_(value)
        elif key == "step" or value.shape != piece.shape:
            moments.setdefault(piece.flat, {})[key] = value.to(piece.flat.device) if capturable(optimizer) else value.clone()
        else:
            kept = moments.setdefault(piece.flat, {}).setdefault(key, torch.zeros_like(piece.flat, dtype=value.dtype))
            piece.put(kept, value)
    if missing:
        raise ValueError("the state is of a model whose trained parameters have other names")
    if moments:
        optimizer.state.clear()
        optimizer.state.update(moments)
