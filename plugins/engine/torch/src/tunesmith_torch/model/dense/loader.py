"""A dense decoder from a directory in Hugging Face's layout."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open

from tunesmith_models.safetensors import check_files
from tunesmith_torch.model.dense.config import NotDense, dense_spec
from tunesmith_torch.model.dense.decoder import Dense

_INDEX, _SINGLE = "model.safetensors.index.json", "model.safetensors"


def load_dense(directory: Path, device: torch.device | str = "cpu") -> Dense:
    """The model in evaluation mode, nothing of it training, in the type that its configuration names.

    Raises:
        NotDense: the engine has no decoder for it; the sentence says why.
        UserError: TS-MODEL-008 when files are missing or truncated.
    """
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotDense(f"its configuration can't be read: {error}") from error
    spec = dense_spec(config)
    check_files(directory)
    model = Dense(spec)
    if spec.tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    said = str(config.get("dtype") or config.get("torch_dtype") or "")
    _fill(model, directory, getattr(torch, said, None), device)
    return model.eval().requires_grad_(False)


def _fill(model: Dense, directory: Path, dtype: torch.dtype | None, device: torch.device | str) -> None:
    wanted = {name for name, _ in model.named_parameters()}
    found: dict[str, torch.Tensor] = {}
    head = None
    for path in _files(directory):
        with safe_open(path, framework="pt", device=str(device)) as tensors:
            for name in tensors.keys():  # noqa: SIM118 - no mapping
                if name in wanted:
                    tensor = tensors.get_tensor(name)
                    found[name] = tensor.to(dtype) if dtype is not None else tensor
                elif name == "lm_head.weight" and model.spec.tied:
                    head = tensors.get_tensor(name)
                elif not name.endswith("rotary_emb.inv_freq"):
                    raise NotDense(f"its files hold {name}")
    if missing := sorted(wanted - found.keys()):
        raise NotDense(f"its files do not hold {missing[0]}")
    if head is not None and not torch.equal(found["model.embed_tokens.weight"], head.to(found["model.embed_tokens.weight"].dtype)):
        raise NotDense("its output head is said to share the embedding's matrix, and has another")
    for name, tensor in found.items():
        parent, _, last = name.rpartition(".")
        module = model.get_submodule(parent)
        if getattr(module, last).shape != tensor.shape:
            raise NotDense(f"its {name} is {tuple(tensor.shape)}")
        setattr(module, last, torch.nn.Parameter(tensor, requires_grad=False))
    if model.spec.tied:
        model.lm_head.weight = model.model.embed_tokens.weight


def _files(directory: Path) -> list[Path]:
    if (directory / _SINGLE).exists():
        return [directory / _SINGLE]
    try:
        index = json.loads((directory / _INDEX).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotDense(f"it has no safetensors: {error}") from error
    return [directory / name for name in sorted(set(index["weight_map"].values()))]
