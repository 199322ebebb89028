"""Models that give numbers in place of words, made of tiny ones: with heads whose numbers are given, drawn, or fitted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact

_OF_SEQUENCES, _OF_TOKENS = "ForSequenceClassification", "ForTokenClassification"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


def with_head(
    base: Path, directory: Path, role: str, weight: torch.Tensor | None = None, *, bias: torch.Tensor | None = None,
    labels: Sequence[str] = (), problem_type: str = "", usage: Mapping[str, Any] | None = None,
) -> Artifact:  # fmt: skip
    """A copy of the model in `base` that has a role.

    Args:
        weight: of the head `score`, (width, hidden); None for a model that embeds.
        bias: (width,); classifiers of tokens have one.
        usage: what the objective that made it would have noted.
    """
    shutil.copytree(base, directory, dirs_exist_ok=True)
    config: dict[str, Any] = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
    config["tunesmith"] = {"role": role, **(usage or {})}
    if weight is not None:
        task = _OF_SEQUENCES if role in ("reward", "classify") else _OF_TOKENS
        tensors = load_file(directory / _WEIGHTS) | {"score.weight": weight.contiguous()}
        if task == _OF_TOKENS:
            tensors["score.bias"] = torch.zeros(len(weight)) if bias is None else bias
        elif bias is not None:
            tensors["score.bias"] = bias
        save_file(tensors, directory / _WEIGHTS, metadata={"format": "pt"})
        names = {str(at): name for at, name in enumerate(labels or [f"LABEL_{at}" for at in range(len(weight))])}
        config |= {"architectures": [name.replace("ForCausalLM", task) for name in config["architectures"]], "id2label": names}
        config |= {"problem_type": problem_type} if problem_type else {}
    (directory / _CONFIG).write_text(json.dumps(config), encoding="utf-8")
    return Artifact(f"model/hf+{role}", directory)


def drawn_head(base: Path, width: int, seed: int = 1) -> torch.Tensor:
    """(width, hidden) from a normal distribution, for the model in `base`."""
    hidden = int(json.loads((base / _CONFIG).read_text(encoding="utf-8"))["hidden_size"])
    return torch.randn(width, hidden, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def fitted_head(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """(width, hidden): the head that gives `wanted`, (places, width), for states, (places, hidden), as nearly as can be."""
    return torch.linalg.lstsq(states.double(), wanted.double(), driver="gelsd").solution.T.float()
