"""A dense decoder from a directory in Hugging Face's layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open

from tunesmith_models.safetensors import check_files
from tunesmith_torch.model.dense.config import NotDense, dense_spec
from tunesmith_torch.model.dense.decoder import Dense
from tunesmith_torch.model.dense.files import CONFIG, INDEX, SINGLE


def load_dense(
    directory: Path, device: torch.device | str = "cpu", *, converted: Callable[[torch.nn.Module], torch.nn.Module] | None = None
) -> Dense:  # fmt: skip
    """The model in evaluation mode, nothing of it training, in the type that its configuration names.

    Args:
        converted: what stands in the place of a linear layer, but of the output head, asked as soon as the layer's values are read.

    Raises:
        NotDense: the engine has no decoder for it; the sentence says why.
        UserError: TS-MODEL-008 when files are missing or truncated.
    """
    try:
        config = json.loads((directory / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotDense(f"its configuration can't be read: {error}") from error
    spec = dense_spec(config)
    check_files(directory)
    model = Dense(spec)
    if spec.tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    _fill(model, directory, model.config.dtype, device, converted)
    return model.eval().requires_grad_(False)


def _fill(
    model: Dense, directory: Path, dtype: torch.dtype | None, device: torch.device | str,
    converted: Callable[[torch.nn.Module], torch.nn.Module] | None,
) -> None:  # fmt: skip
    wanted = {name for name, _ in model.named_parameters()}
    missing, head = set(wanted), None
    for path in _files(directory):
        with safe_open(path, framework="pt", device=str(device)) as tensors:
            for name in tensors.keys():  # noqa: SIM118 - no mapping
                if name in wanted:
                    tensor = tensors.get_tensor(name)
                    _put(model, name, tensor.to(dtype) if dtype is not None else tensor, converted)
                    missing.discard(name)
                elif name == "lm_head.weight" and model.spec.tied:
                    head = tensors.get_tensor(name)
                elif not name.endswith("rotary_emb.inv_freq"):
                    raise NotDense(f"its files hold {name}")
    if missing:
        raise NotDense(f"its files do not hold {min(missing)}")
    embedding = model.get_input_embeddings().weight
    if head is not None and not torch.equal(embedding, head.to(embedding.dtype)):
        raise NotDense("its output head is said to share the embedding's matrix, and has another")
    if model.spec.tied:
        model.lm_head.weight = embedding


def _put(
    model: Dense, name: str, tensor: torch.Tensor, converted: Callable[[torch.nn.Module], torch.nn.Module] | None
) -> None:  # fmt: skip
    """A value in its place, and another layer in the layer's, once it is whole."""
    path, _, last = name.rpartition(".")
    module = model.get_submodule(path)
    if getattr(module, last).shape != tensor.shape:
        raise NotDense(f"its {name} is {tuple(tensor.shape)}")
    setattr(module, last, torch.nn.Parameter(tensor, requires_grad=False))
    if converted is None or type(module) is not torch.nn.Linear or module is model.lm_head:
        return
    if not any(parameter.is_meta for parameter in module.parameters()):
        parent, _, own = path.rpartition(".")
        setattr(model.get_submodule(parent), own, converted(module))


def _files(directory: Path) -> list[Path]:
    if (directory / SINGLE).exists():
        return [directory / SINGLE]
    try:
        index = json.loads((directory / INDEX).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotDense(f"it has no safetensors: {error}") from error
    return [directory / name for name in sorted(set(index["weight_map"].values()))]
