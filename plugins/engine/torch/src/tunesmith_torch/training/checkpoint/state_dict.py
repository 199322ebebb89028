"""What trains, by name, and an optimizer's state beside it: how they lie in a directory.

``model/NAME`` and ``optimizer/NAME/KEY`` in safetensors. Ranks that have the whole of everything write one file; ranks that have pieces
write a file each, by PyTorch's distributed checkpoints (``HuggingFaceStorageWriter``). Either is read by any number of ranks of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

MODEL, OPTIMIZER = "model/", "optimizer/"
WHOLE = "whole.safetensors"


def trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The parameters that train, by name, each once."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def save_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer | None, directory: Path, *, writes: bool = True) -> None:
    """Write what trains, and the optimizer's state if one is given. With parameters in pieces (``DTensor``) every rank has to call it.

    Args:
        writes: whether this rank is the one that writes what all have.
    """
    state = _state(model, optimizer)
    if any(map(_in_pieces, state.values())):
        save_pieces(state, directory)
    elif writes:
        write_state(state, directory)


def save_pieces(state: Mapping[str, torch.Tensor], directory: Path) -> None:
    """By every rank what it has of tensors in pieces (``DTensor``), and of others; what several have is written once."""
    from torch.distributed.checkpoint import HuggingFaceStorageWriter, save

    with _first_failure():
        save(dict(state), storage_writer=HuggingFaceStorageWriter(str(directory), save_distributed=True))


def write_state(state: Mapping[str, torch.Tensor], directory: Path) -> None:
    """One file of whole tensors, by the names that are said above."""
    save_file({name: value.detach().cpu().contiguous() for name, value in state.items()}, directory / WHOLE)


def read_state(directory: Path) -> Mapping[str, torch.Tensor]:
    """What was written, whole and on the CPU, by whatever strategy. Every rank calls it; a file's tensors are read when asked for."""
    return WholeFile(directory / WHOLE) if (directory / WHOLE).exists() else read_pieces({}, directory)


class WholeFile(Mapping[str, torch.Tensor]):
    """The tensors of a file of safetensors, each read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._stream = safe_open(path, "pt")
        self._names = list(self._stream.keys())

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._stream.get_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@torch.no_grad()
def load_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer, directory: Path) -> None:
    """The inverse of `save_state`, by however many ranks it was called.

    Raises:
        ValueError: the state is of other parameters.
    """
    parameters = dict(trained(model))
    if (directory / WHOLE).exists() and not any(map(_in_pieces, parameters.values())):
        state = load_file(directory / WHOLE)
    else:
        state = read_pieces(parameters, directory)
    if parameters.keys() != {name.removeprefix(MODEL) for name in state if name.startswith(MODEL)}:
        raise ValueError("the state is of a model whose trained parameters have other names")
    for name, parameter in parameters.items():
        parameter.copy_(state[MODEL + name])
    kept = {name.removeprefix(OPTIMIZER): value for name, value in state.items() if name.startswith(OPTIMIZER)}
    if not kept:
        return
    moments: dict[torch.nn.Parameter, dict[str, Any]] = {}
    for entry, value in kept.items():
        name, _, key = entry.rpartition("/")
        parameter = parameters[name]
        stays = key == "step" and not capturable(optimizer)
        moments.setdefault(parameter, {})[key] = value.clone() if stays else value.to(parameter.device).clone()
    optimizer.state.clear()
    optimizer.state.update(moments)


def _state(model: torch.nn.Module, optimizer: torch.optim.Optimizer | None) -> dict[str, torch.Tensor]:
    state = {MODEL + name: parameter.detach() for name, parameter in trained(model)}
    if optimizer is not None:
        for name, parameter in trained(model):
            for key, value in optimizer.state.get(parameter, {}).items():
                state[f"{OPTIMIZER}{name}/{key}"] = torch.as_tensor(value)
    return state


def read_pieces(parameters: Mapping[str, torch.Tensor], directory: Path, *, others: bool = True) -> dict[str, torch.Tensor]:
    """By every rank what it needs of what was written, by whatever strategy. What has a parameter's shape is divided as the parameter is.

    Args:
        others: what belongs to none of `parameters` is read as well, whole.
    """
    from torch.distributed.checkpoint import HuggingFaceStorageReader, load

    reader = HuggingFaceStorageReader(str(directory))
    state: dict[str, torch.Tensor] = {}
    for name, found in reader.read_metadata().state_dict_metadata.items():
        own = name.removeprefix(MODEL) if name.startswith(MODEL) else name.removeprefix(OPTIMIZER).rpartition("/")[0]
        like, dtype = parameters.get(own), found.properties.dtype
        if like is None and not others:
            continue
        if like is not None and found.size == like.shape:
            state[name] = torch.empty_like(like, dtype=dtype, requires_grad=False)
        else:
            state[name] = torch.empty(found.size, dtype=dtype)
    with _first_failure():
        load(state, storage_reader=reader, no_dist=not torch.distributed.is_initialized())
    return state


@contextmanager
def _first_failure() -> Iterator[None]:
    """Within it, what failed on some rank is raised as it was there (a full disk, say), on every rank."""
    from torch.distributed.checkpoint.api import CheckpointException

    try:
        yield
    except CheckpointException as error:
        failed = min(error.failures)
        raise error.failures[failed][0] from error


def _in_pieces(value: torch.Tensor) -> bool:
    return hasattr(value, "placements")  # a DTensor, without importing its module where there is none


def capturable(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the step counter lives on the device, beside the moments."""
    return any(group.get("capturable") or group.get("fused") for group in optimizer.param_groups)
