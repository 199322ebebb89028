"""The adapter `qlora`: `lora` on a base in 4 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_lora.api import Lora, adapted, adapted_experts
from tunesmith_qlora import quantized_base
from tunesmith_qlora.settings import QloraSettings
from tunesmith_torch.api.layers import replace, transposed
from tunesmith_torch.api.model import load_model


class Qlora(Lora):
    """Trains and saves as `Lora` does; what it saves is a plain LoRA, for the base in any number of bits."""

    settings: QloraSettings
    modules_only = True

    def __init__(self, settings: QloraSettings) -> None:
        super().__init__(settings)
        self._directory: Path | None = None

    def load_base(self, directory: Path, device: torch.device) -> torch.nn.Module:
        self._directory = directory
        return quantized_base.load(
            directory, device, type=self.settings.bnb_4bit_quant_type, double_quant=self.settings.bnb_4bit_use_double_quant
        )

    def converted(self, layer: torch.nn.Module) -> torch.nn.Module:
        return quantized_base.converted(layer, type=self.settings.bnb_4bit_quant_type, double_quant=self.settings.bnb_4bit_use_double_quant)

    def matrix(self, linear: Any) -> torch.Tensor:
        return quantized_base.dequantized(linear) if hasattr(linear.weight, "quant_state") else super().matrix(linear)

    def merge(self, model: Any) -> Any:
        """Into the base as it was trained on, dequantized, or into its full weights.

        Raises:
            UserError: TS-TRAIN-041 when full weights are asked for and the base has none.
        """
        if self.settings.merge_into == "full":
            return self._merged_into_full(model)
        for name, layer in dict(adapted(model)).items():
            if hasattr(layer.base.weight, "quant_state"):
                replace(model, name, quantized_base.linear(self.matrix(layer.base) + layer.change(), layer.base))
        return super().merge(quantized_base.plain(model))

    def _merged_into_full(self, model: Any) -> Any:
        if self._directory is None:
            raise TunesmithError("TS-TRAIN-041", "The base's full weights are not known", fix="Load the base by the adapter's `load_base`.")
        if quantized_base.stored(self._directory) is not None:
            raise UserError(
                "TS-TRAIN-041", "The update can't be folded into full weights",
                why="The base is stored in 4 bits: its full weights are not there.",
                fix="Set `merge_into: dequantized`, or train on the model before it was quantized.",
            )  # fmt: skip
        full = load_model(self._directory, dtype="float32")
        device = model.get_input_embeddings().weight.device
        full.to(device)
        for name, layer in adapted(model):
            own = full.get_submodule(name)
            if own.weight is full.get_input_embeddings().weight:
                full.config.tie_word_embeddings = False
            change = layer.change().t() if transposed(own) else layer.change()
            own.weight = torch.nn.Parameter(own.weight.detach() + change, requires_grad=False)
        for owner, experts in adapted_experts(model):
            experts.base = full.get_submodule(owner)
            replace(full, owner, experts.merge())
        return full
