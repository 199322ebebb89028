"""The quantizer: LLM Compressor goes through the layers, and rounds their weights with scales that engines' kernels take.

gptq: argmin_Q || W X - Q X ||^2 on the rows (Frantar et al., 2023, arXiv:2210.17323); rtn: the nearest level. Scales of activations (FP8)
and of the KV cache are the largest that was seen on the rows.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from llmcompressor import oneshot
from llmcompressor.modifiers.gptq import GPTQModifier
from llmcompressor.modifiers.quantization import QuantizationModifier

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_compressed_tensors.batches import Batches
from tunesmith_compressed_tensors.schemes import KV_CACHE, SCHEMES
from tunesmith_compressed_tensors.settings import CompressedTensorsSettings
from tunesmith_models import ModelShape, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_torch.api.text import calibration_tokens, joined_sequences

RECIPE = "recipe.yaml"  # what LLM Compressor was told, in names of this module's classes: the config says what readers need


class CompressedTensors:
    def __init__(self, settings: CompressedTensorsSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows; TS-QUANT-003: a matrix's Hessian has no inverse.
        """
        settings, scheme = self.settings, SCHEMES[self.settings.scheme]
        transformers.utils.logging.disable_progress_bar()
        transformers.set_seed(step.seed)
        tokenizer, loaded, stored = self._load(model.path, step)
        group_size = fitting_group_size(ModelShape.from_config(loaded.config.to_dict()), settings.group_size) if scheme.grouped else 0
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        batches = Batches(joined_sequences(rows, settings.max_seq_length), settings.batch_size)
        modifier = self._modifier(scheme.group(group_size))
        modifier.watch(step, loaded.config.get_text_config().num_hidden_layers)
        try:
            oneshot(model=loaded, tokenizer=tokenizer, dataset=batches, recipe=[modifier], num_calibration_samples=len(batches.dataset))
        except torch.linalg.LinAlgError as error:
            raise UserError(
                "TS-QUANT-003",
                f"A matrix can't be quantized: what it reads on these rows has no inverse with `damp_percent` {settings.damp_percent:g}",
                why=str(error), fix="Raise `damp_percent` (0.01 does for most), or calibrate on more rows.",
            ) from error  # fmt: skip
        step.check_cancelled()
        loaded.to(stored).config.dtype = stored
        loaded.save_pretrained(output, save_compressed=True, max_shard_size="5GB")
        copy_beside(model.path, output)
        (output / RECIPE).unlink(missing_ok=True)
        before, after = weights_size(model.path), weights_size(output)
        step.log(f"quantized to {scheme.bits} bits on {len(rows)} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": len(rows)})

    def _modifier(self, group: dict[str, Any]) -> Any:
        settings = self.settings
        said: dict[str, Any] = {"ignore": ["lm_head"], "config_groups": {"group_0": group}}
        if settings.kv_cache_dtype == "fp8":
            said["kv_cache_scheme"] = KV_CACHE
        if settings.algorithm == "gptq":
            return _WatchedGptq(dampening_frac=settings.damp_percent, **said)
        return _WatchedRounding(**said)

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


class _Watched:
    """Tells how far it has come, and stops when the step is asked to."""

    _step: Step
    _layers: int
    _done: int = 0

    def watch(self, step: Step, layers: int) -> None:
        self._step, self._layers = step, layers

    def on_sequential_epoch_end(self, state: Any, event: Any, **more: Any) -> Any:
        self._step.check_cancelled()
        done = super().on_sequential_epoch_end(state, event, **more)  # type: ignore[misc]
        self._done += 1  # the last is what follows the layers
        self._step.progress(min(self._done, self._layers), self._layers, what="quantizing", unit="layers")
        return done


class _WatchedGptq(_Watched, GPTQModifier):
    _step: Step
    _layers: int
    _done: int = 0


class _WatchedRounding(_Watched, QuantizationModifier):
    _step: Step
    _layers: int
    _done: int = 0
