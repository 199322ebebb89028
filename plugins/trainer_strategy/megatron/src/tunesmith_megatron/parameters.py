"""A rank's parameters with what they are made of, and where in the group each tensor's pieces are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from megatron.core import parallel_state

from tunesmith_megatron.architecture import Architecture
from tunesmith_megatron.causal_lm import CausalLM
from tunesmith_megatron.checkpoint_files import CheckpointFiles
from tunesmith_megatron.layout import Made, made_of


@dataclass(frozen=True)
class Held:
    """A parameter of this rank.

    Args:
        name: Megatron's.
        computes: what the model computes with.
        trains: what the optimizer steps on: the same one, or its copy in float32.
        group: the ranks that divide it.
        again: another stage has the same one, and counts it (a head that is the embedding).
    """

    name: str
    computes: torch.nn.Parameter
    trains: torch.nn.Parameter
    made: Made
    group: dist.ProcessGroup
    again: bool

    @property
    def rank(self) -> int:
        return dist.get_rank(self.group)

    @property
    def size(self) -> int:
        return dist.get_world_size(self.group)


class Parameters:
    """All that a rank has.

    Args:
        model: with values or without.
    """

    def __init__(self, model: CausalLM, shape: Architecture, device: torch.device) -> None:
        self.device = device
        again = shape.tied and model.post_process and not model.pre_process
        self.held: list[Held] = []
        for name, parameter in model.named_parameters():
            made = made_of(name, shape, first_layer=model.first_layer, first_expert=model.first_expert)
            group = parallel_state.get_expert_tensor_parallel_group() if made.expert else parallel_state.get_tensor_model_parallel_group()
            copied = parameter.dtype != torch.float32
            trains = torch.nn.Parameter(parameter.detach().float()) if copied else parameter
            self.held.append(Held(name, parameter, trains, made, group, again and name == "output_layer.weight"))
        self.of: dict[str, tuple[Held, int]] = {
            name: (one, at) for one in self.held if not one.again for at, name in enumerate(one.made.names)
        }
        self._owners = self._exchange()

    def read(self, files: CheckpointFiles) -> None:
        """Values, from a model's files, one parameter after the other."""
        for one in self.held:
            pieces = [files.piece(name, one.made.dim, one.rank, one.size) for name in one.made.names]
            with torch.no_grad():
                one.trains.copy_(one.made.join(pieces))
        self.put_in_use()

    @torch.no_grad()
    def put_in_use(self) -> None:
        """Compute with what the optimizer has made."""
        for one in self.held:
            if one.trains is not one.computes:
                one.computes.copy_(one.trains)

    def gradients(self) -> None:
        """Hand the optimizer what Megatron has added up."""
        for one in self.held:
            one.trains.grad = one.computes.main_grad  # type: ignore[attr-defined]

    @torch.no_grad()
    def norm(self) -> float:
        """Of all gradients on all ranks, each counted once."""
        copies = {
            False: parallel_state.get_data_parallel_world_size(with_context_parallel=True),
            True: parallel_state.get_expert_data_parallel_world_size(),
        }
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for one in self.held:
            if not one.again and (one.made.dim is not None or one.rank == 0):
                assert one.trains.grad is not None
                total += one.trains.grad.double().square().sum() / copies[one.made.expert]
        dist.all_reduce(total)
        return float(total.sqrt())

    def gathered(self, name: str, like: torch.Tensor) -> torch.Tensor | None:
        """The tensor `name` of the other layout, whole, in the host's memory of the first rank; None elsewhere. Every rank calls it.

        Args:
            like: has its shape.
        """
        owners, dim = self._owners[name]
        me = dist.get_rank()
        mine = self._piece(name) if me in owners else None
        if me != 0:
            if mine is not None:
                dist.send(mine, 0)
            return None
        size = list(like.shape)
        if dim is not None:
            size[dim] //= len(owners)
        pieces = []
        for owner in owners:
            piece = mine if owner == 0 else torch.empty(size, dtype=torch.float32, device=self.device)
            assert piece is not None
            if owner != 0:
                dist.recv(piece, owner)
            pieces.append(piece.cpu())
        return pieces[0] if dim is None else torch.cat(pieces, dim)

    def _piece(self, name: str) -> torch.Tensor:
        one, at = self.of[name]
        return one.made.split(one.trains.detach())[at].contiguous()

    def _exchange(self) -> dict[str, tuple[tuple[int, ...], int | None]]:
        """For each tensor: the ranks that have its pieces, in their order, and the dimension along which it is divided."""
        mine = {name: tuple(dist.get_process_group_ranks(one.group)) for name, (one, _) in self.of.items()}
        dims = {name: one.made.dim for name, (one, _) in self.of.items()}
        everybody: list[tuple[dict[str, tuple[int, ...]], dict[str, int | None]]] = [({}, {})] * dist.get_world_size()
        dist.all_gather_object(everybody, (mine, dims))
        found: dict[str, tuple[tuple[int, ...], int | None]] = {}
        for owners, dim in everybody:
            for name, ranks in owners.items():
                found.setdefault(name, (ranks if dim[name] is not None else ranks[:1], dim[name]))
        return found

    def __iter__(self) -> Iterator[Held]:
        return iter(self.held)
