"""Tiny models with a role whose scores follow from how they are made, or that were taught the kit's rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact

TASKS = {"reward": "ForSequenceClassification", "classify": "ForSequenceClassification"}


def with_head(
    base: Path, directory: Path, role: str, weight: torch.Tensor | None, *, bias: torch.Tensor | None = None,
    labels: tuple[str, ...] = (), usage: Mapping[str, Any] = {},
) -> Artifact:  # fmt: skip
    """A copy of the model in `base` with a head `score`, (width, hidden); without one for a model that embeds."""
    shutil.copytree(base, directory, dirs_exist_ok=True)
    config = json.loads((directory / "config.json").read_text())
    config["tunesmith"] = {"role": role, **usage}
    if weight is not None:
        tensors = load_file(directory / "model.safetensors") | {"score.weight": weight.contiguous()}
        if bias is not None:
            tensors["score.bias"] = bias
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
        task = TASKS.get(role, "ForTokenClassification")
        names = {str(at): name for at, name in enumerate(labels or [f"LABEL_{at}" for at in range(len(weight))])}
        config |= {"architectures": [name.replace("ForCausalLM", task) for name in config["architectures"]], "id2label": names}
    (directory / "config.json").write_text(json.dumps(config))
    return Artifact(f"model/hf+{role}", directory)


@torch.no_grad()
def fitted(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The head that gives `wanted`, (places, width), for states, (places, hidden), as nearly as can be: (width, hidden)."""
    return torch.linalg.lstsq(states.double(), wanted.double(), driver="gelsd").solution.T.float()
