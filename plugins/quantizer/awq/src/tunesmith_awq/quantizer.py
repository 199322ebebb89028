"""The quantizer: LLM Compressor goes through the layers and scales the channels that matter before their weights are rounded.

W x = (W diag(s)) (diag(s)^-1 x),  s = mean|x|^a / mean|w|^(1-a),  a the best of a grid by || W x - Q(W diag(s)) diag(s)^-1 x ||
(Lin et al., AWQ, 2023, arXiv:2306.00978)
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from llmcompressor.pipelines.cache import IntermediatesCache

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_awq.batches import Batches
from tunesmith_awq.settings import AwqSettings
from tunesmith_models import ModelShape, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_torch.api.text import calibration_tokens, joined_sequences

RECIPE = "recipe.yaml"  # what LLM Compressor was told, in names of this module's classes: the config says what readers need


class Awq:
    def __init__(self, settings: AwqSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows.
        """
        settings = self.settings
        transformers.utils.logging.disable_progress_bar()
        transformers.set_seed(step.seed)
        tokenizer, loaded, stored = self._load(model.path, step)
        group_size = fitting_group_size(ModelShape.from_config(loaded.config.to_dict()), settings.group_size)
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        batches = Batches(joined_sequences(rows, settings.max_seq_length), settings.batch_size)
        weights = {
            "num_bits": settings.bits,
            "type": "int",
            "symmetric": settings.sym,
            "group_size": group_size,
            "strategy": "group",
        }
        recipe = [
            Watched(duo_scaling=settings.duo_scaling, n_grid=settings.n_grid),
            QuantizationModifier(ignore=["lm_head"], config_groups={"group_0": {"targets": ["Linear"], "weights": weights}}),
        ]
        recipe[0].watch(step, loaded.config.get_text_config().num_hidden_layers)
        with _pinning_only_for_accelerators():
            oneshot(model=loaded, tokenizer=tokenizer, dataset=batches, recipe=recipe, num_calibration_samples=len(batches.dataset))
        step.check_cancelled()
        loaded.to(stored).config.dtype = stored
        loaded.save_pretrained(output, save_compressed=True, max_shard_size="5GB")
        copy_beside(model.path, output)
        (output / RECIPE).unlink(missing_ok=True)
        before, after = weights_size(model.path), weights_size(output)
        step.log(f"quantized to {settings.bits} bits on {len(rows)} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": len(rows)})

    def _load(self, path: Path, step: Step) -> tuple[Any, Any, torch.dtype]:
        """The tokenizer, the model in the type that this device computes in, and the type of its weights."""
        try:
            config = json.loads((path / "config.json").read_text(encoding="utf-8"))
            name, reason = compute_type("auto", stored_type(config), step.placement)
            step.decide(f"computed in {name}", reason)
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise unloadable(path, error) from error
        loaded = load_whole(transformers.AutoModelForCausalLM.from_pretrained, path, dtype=getattr(torch, name))
        return tokenizer, loaded, getattr(torch, stored_type(config) or name)


class Watched(AWQModifier):
    """Tells how far it has come, and stops when the step is asked to."""

    _step: Step
    _layers: int
    _done: int = 0

    def watch(self, step: Step, layers: int) -> None:
        self._step, self._layers = step, layers

    def on_sequential_epoch_end(self, state: Any, event: Any, **more: Any) -> None:
        self._step.check_cancelled()
        super().on_sequential_epoch_end(state, event, **more)
        self._done += 1  # the last is what follows the layers
        self._step.progress(min(self._done, self._layers), self._layers, what="quantizing", unit="layers")

    def _compute_best_scale(self, *arguments: Any, **more: Any) -> Any:
        self._step.check_cancelled()
        return super()._compute_best_scale(*arguments, **more)


@contextmanager
def _pinning_only_for_accelerators() -> Iterator[None]:
    """AWQ in LLM Compressor 0.14 pins memory without looking whether there is a device to copy it to, and torch refuses."""
    original = IntermediatesCache.pin_memory
    if not torch.accelerator.is_available():
        IntermediatesCache.pin_memory = lambda self, batch_index, input_names=None: None
    try:
        yield
    finally:
        IntermediatesCache.pin_memory = original
