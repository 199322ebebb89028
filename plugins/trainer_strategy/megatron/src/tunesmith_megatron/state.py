"""What trains and the optimizer's state, a rank's pieces by the names of the other layout: in the files of strategies that divide."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Replicate, Shard

from tunesmith_megatron.parameters import Held, Parameters
from tunesmith_torch.api.training import MODEL, OPTIMIZER, capturable, read_pieces, save_pieces

_OF_MODEL = "model."  # the engine's name of the model within what trains


class State:
    """Reads and writes it."""

    def __init__(self, parameters: Parameters, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        self.parameters, self.optimizer, self.device = parameters, optimizer, device
        self._meshes: dict[dist.ProcessGroup, DeviceMesh] = {}

    @torch.no_grad()
    def save(self, directory: Path, *, optimizer: bool) -> None:
        state: dict[str, torch.Tensor] = {}
        for one in self.parameters:
            if one.again:
                continue
            self._add(state, one, one.trains.detach(), MODEL, "")
            for key, value in self.optimizer.state.get(one.trains, {}).items() if optimizer else ():
                self._add(state, one, torch.as_tensor(value), OPTIMIZER, f"/{key}")
        save_pieces(state, directory)

    @torch.no_grad()
    def load(self, directory: Path) -> None:
        """Raises:
        ValueError: the state is of other parameters.
        """
        likes = {
            _OF_MODEL + name: self._as_tensor(one, piece)
            for one in self.parameters
            for name, piece in zip(one.made.names, one.made.split(one.trains.detach()), strict=True)
        }
        found = read_pieces(likes, directory, others=False)
        keys: dict[str, list[str]] = {}
        for entry in found:
            if entry.startswith(OPTIMIZER):
                name, _, key = entry.removeprefix(OPTIMIZER).rpartition("/")
                keys.setdefault(name, []).append(key)
        if missing := [name for name in likes if MODEL + name not in found]:
            raise ValueError(f"the state is of a model whose trained parameters have other names: {missing[0]} is not there")
        if keys:
            self.optimizer.state.clear()
        for one in self.parameters:
            names = [_OF_MODEL + name for name in one.made.names]
            one.trains.copy_(self._joined(one, [found[MODEL + name] for name in names]))
            moments: dict[str, torch.Tensor] = {}
            for key in keys.get(names[0], ()):
                values = [found[f"{OPTIMIZER}{name}/{key}"] for name in names]
                if values[0].shape == likes[names[0]].shape and values[0].ndim:
                    moments[key] = self._joined(one, values).to(self.device)
                else:
                    moments[key] = values[0].to(self.device) if capturable(self.optimizer) else values[0].clone()
            if moments:
                self.optimizer.state[one.trains] = moments
        self.parameters.put_in_use()

    def _add(self, state: dict[str, torch.Tensor], one: Held, value: torch.Tensor, prefix: str, key: str) -> None:
        if value.shape != one.trains.shape:
            state |= {f"{prefix}{_OF_MODEL}{name}{key}": value.clone() for name in one.made.names}
            return
        for name, piece in zip(one.made.names, one.made.split(value), strict=True):
            state[f"{prefix}{_OF_MODEL}{name}{key}"] = self._as_tensor(one, piece)

    def _as_tensor(self, one: Held, piece: torch.Tensor) -> torch.Tensor:
        """The whole tensor of which this rank has `piece`."""
        placement = Replicate() if one.made.dim is None else Shard(one.made.dim)
        return DTensor.from_local(piece.contiguous(), self._mesh(one.group), (placement,), run_check=False)

    def _joined(self, one: Held, values: list[torch.Tensor]) -> torch.Tensor:
        return one.made.join([value.to_local() if isinstance(value, DTensor) else value for value in values])

    def _mesh(self, group: dist.ProcessGroup) -> DeviceMesh:
        if group not in self._meshes:
            self._meshes[group] = DeviceMesh.from_group(group, self.device.type)
        return self._meshes[group]
