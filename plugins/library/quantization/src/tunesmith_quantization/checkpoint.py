"""A model to quantize as transformers reads it, and what is told of the one that was written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_models import ModelShape, compute_type, stored_type
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole, unloadable


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a model before its weights are read.

    Args:
        dtype: that this device computes in; `stored`: that of its weights.
    """

    path: Path
    tokenizer: Any
    config: Any
    dtype: torch.dtype
    stored: torch.dtype

    @classmethod
    def open(cls, model: Artifact, step: Step) -> Checkpoint:
        """It, with the step's seed set and the dtype told.

        Raises:
            UserError: TS-MODEL-020, -023: transformers can't read it.
        """
        transformers.utils.logging.disable_progress_bar()
        transformers.set_seed(step.seed)
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(model.path, local_files_only=True)
            config = transformers.AutoConfig.from_pretrained(model.path, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise unloadable(model.path, error) from error
        stored = stored_type(config.to_dict())
        name, reason = compute_type("auto", stored, step.placement)
        step.decide(f"computed in {name}", reason)
        return cls(model.path, tokenizer, config, getattr(torch, name), getattr(torch, stored or name))

    @property
    def shape(self) -> ModelShape | None:
        return ModelShape.from_config(self.config.to_dict())

    @property
    def layers(self) -> int:
        return int(self.config.get_text_config().num_hidden_layers)

    def load(self) -> Any:
        """
        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: it can't be loaded whole.
        """
        return load_whole(transformers.AutoModelForCausalLM.from_pretrained, self.path, dtype=self.dtype)


def quantized(
    model: Artifact, output: Path, step: Step, *, bits: int, rows: int, metrics: Mapping[str, float] | None = None, **meta: Any
) -> Result:  # fmt: skip
    """What a quantizer has made in `output`: beside it lie the model's tokenizer and template, as their author wrote them.

    Args:
        rows: that it was calibrated on.
    """
    copy_beside(model.path, output)
    before, after = weights_size(model.path), weights_size(output)
    step.log(f"quantized to {bits} bits on {rows} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
    return Result(metrics={"bytes": float(after), "ratio": after / before, **(metrics or {})}, meta={"rows": rows, **meta})
