"""The adapter `full`: the model itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import TunesmithError
from tunesmith_full.settings import FullSettings
from tunesmith_torch.api.model import load_model


class Full:
    """Everything trains. The reference is a frozen copy, kept only when it is asked for."""

    modules_only = True

    def __init__(self, settings: FullSettings) -> None:
        self.settings = settings
        self._before: torch.nn.Module | None = None

    def attach(self, model: torch.nn.Module, *, seed: int, reference: bool = False) -> None:
        if reference:
            self._before = copy.deepcopy(model).requires_grad_(False).eval()
        model.requires_grad_(True)

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        if self._before is None:
            raise TunesmithError("TS-TRAIN-012", "There is no copy of the model from before training", fix="Attach with reference=True.")
        yield self._before

    def save(self, model: Any, directory: Path) -> None:
        """A whole model. Training was in float32; it is rounded to what the base was stored in unless the settings say otherwise."""
        stored = (model.config.dtype or torch.float32) if self.settings.save_dtype == "auto" else getattr(torch, self.settings.save_dtype)
        once: dict[tuple[int, torch.Size], torch.Tensor] = {}  # a head that is the embedding stays it, and is written once
        weights = {
            name: once.setdefault((value.data_ptr(), value.shape), value.to(stored) if value.is_floating_point() else value)
            for name, value in model.state_dict().items()
        }
        kept = model.config.dtype
        model.save_pretrained(directory, state_dict=weights)
        # transformers writes the type that the model computes in, and leaves it in the config
        model.config.dtype = kept
        config = directory / "config.json"
        described = json.loads(config.read_text(encoding="utf-8")) | {"dtype": str(stored).removeprefix("torch.")}
        config.write_text(json.dumps(described, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def load(self, model: torch.nn.Module, directory: Path) -> None:
        """Replace all weights by the saved ones."""
        model.load_state_dict(load_model(directory).state_dict())

    def merge(self, model: Any) -> Any:
        """There is nothing to fold in."""
        return model
