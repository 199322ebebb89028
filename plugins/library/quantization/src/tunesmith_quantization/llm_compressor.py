"""A quantizer by LLM Compressor: what every one is, but for its recipe."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from llmcompressor import oneshot

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_models.group_size import fitting_group_size
from tunesmith_quantization.calibration import calibration_tokens, joined_sequences
from tunesmith_quantization.checkpoint import Checkpoint, quantized

RECIPE = "recipe.yaml"  # what LLM Compressor was told, in names of Python classes: the config says what readers need


class Settings(Protocol):
    group_size: int
    num_calibration_samples: int
    max_seq_length: int
    batch_size: int


class LlmCompressorQuantizer(ABC):
    """Calibrates, quantizes and saves; `recipe` and `bits` are its heir's."""

    grouped = True  #: whether weights of a group share a scale

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def bits(self) -> int:
        """Of a weight."""

    @abstractmethod
    def recipe(self, group_size: int) -> Sequence[Any]:
        """LLM Compressor's modifiers, those of `Watched` among them."""

    def oneshot(self, **told: Any) -> None:
        """Calls the library."""
        oneshot(**told)

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows.
        """
        settings: Settings = self.settings
        found = Checkpoint.open(model, step)
        group_size = fitting_group_size(found.shape, settings.group_size) if self.grouped else 0
        loaded = found.load()
        rows = calibration_tokens(
            calibration, found.tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step
        )
        batches = Batches(joined_sequences(rows, settings.max_seq_length), settings.batch_size)
        recipe = self.recipe(group_size)
        for modifier in recipe:
            if isinstance(modifier, Watched):
                modifier.watch(step, found.layers)
        self.oneshot(
            model=loaded, tokenizer=found.tokenizer, dataset=batches, recipe=list(recipe), num_calibration_samples=len(batches.dataset)
        )
        step.check_cancelled()
        loaded.to(found.stored).config.dtype = found.stored
        loaded.save_pretrained(output, save_compressed=True, max_shard_size="5GB")
        (output / RECIPE).unlink(missing_ok=True)
        return quantized(model, output, step, bits=self.bits, rows=len(rows))


class Watched:
    """Of a modifier: tells how far it has come, and stops when the step is asked to.

    Modifiers are pydantic models, which take attributes only where their own class declares them: heirs declare the three again.
    """

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


class Batches(torch.utils.data.DataLoader):
    """Sequences of one length, which need no padding, in their order."""

    def __init__(self, found: list[list[int]], size: int) -> None:
        super().__init__(found, batch_size=size, shuffle=False, collate_fn=self._stack)

    @staticmethod
    def _stack(rows: list[list[int]]) -> dict[str, torch.Tensor]:
        ids = torch.tensor(rows)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        return super().__iter__()
