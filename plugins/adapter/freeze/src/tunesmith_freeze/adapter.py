"""The adapter `freeze`: some of the model itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import TunesmithError, UserError
from tunesmith.errors import did_you_mean
from tunesmith_freeze.settings import FreezeSettings
from tunesmith_full.api import Full
from tunesmith_torch.api.layers import decoder_layers
from tunesmith_torch.api.model import load_model


class Freeze(Full):
    """Trains the last layers and the parts that are named. The reference is the trained parts' values from before, put back for a while."""

    settings: FreezeSettings

    def __init__(self, settings: FreezeSettings) -> None:
        super().__init__(settings)
        self._directory: Path | None = None
        self._values: dict[str, torch.Tensor] = {}

    def base_at(self, directory: Path) -> None:
        """Where the base lies is remembered, because its frozen weights may be computed with in another type."""
        self._directory = directory

    def attach(self, model: torch.nn.Module, *, seed: int, reference: bool = False) -> None:
        """
        Raises:
            UserError: TS-TRAIN-042 when the settings name nothing of the model, or nothing at all.
            NotImplementedError: when a reference is asked for and the model has no values, which would be kept.
        """
        model.requires_grad_(False)
        for parameter in chosen(model, self.settings):
            parameter.requires_grad_(True)
        if reference and any(parameter.is_meta for parameter in model.parameters()):
            raise NotImplementedError("the values from before training are kept whole, for the objective asks for that model")
        if reference:
            self._values = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        if not self._values:
            raise TunesmithError("TS-TRAIN-012", "There is no copy of the model from before training", fix="Attach with reference=True.")
        parameters = {name: parameter for name, parameter in model.named_parameters() if name in self._values}
        trained = {name: parameter.data for name, parameter in parameters.items()}
        for name, parameter in parameters.items():
            parameter.data = self._values[name].to(parameter.device)
        try:
            yield model
        finally:
            for name, parameter in parameters.items():
                parameter.data = trained[name]

    def save(self, model: Any, directory: Path) -> None:
        """A whole model; what is frozen is saved as it was, also where it was computed with in fewer bits."""
        super().save(self._with_exact_rest(model), directory)

    def _with_exact_rest(self, model: Any) -> Any:
        if self._directory is None:
            return model
        exact = load_model(self._directory)
        rest = dict(exact.named_parameters())
        frozen = [(name, p) for name, p in model.named_parameters() if not p.requires_grad]
        if all(rest[name].dtype == parameter.dtype for name, parameter in frozen):
            return model
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                rest[name].data = parameter.detach().cpu()
        return exact


def chosen(model: Any, settings: FreezeSettings) -> list[torch.nn.Parameter]:
    """The parameters that train.

    Raises:
        UserError: TS-TRAIN-042 when there are none, or a part is not there.
    """
    modules = dict(model.named_modules())
    parts = list(decoder_layers(model)[1])[-settings.trainable_layers :] if settings.trainable_layers else []
    for wanted in settings.trainable_modules:
        found = [module for name, module in modules.items() if name == wanted or name.endswith("." + wanted)]
        if not found:
            raise UserError(
                "TS-TRAIN-042", f"`{wanted}` in the setting `trainable_modules` names no part of the model",
                fix=did_you_mean(wanted, {name.rsplit(".", 1)[-1] for name in modules if name}),
            )  # fmt: skip
        parts += found
    parts += [model.get_input_embeddings()] if settings.train_embeddings else []
    parts += [model.get_output_embeddings()] if settings.train_lm_head else []
    parameters = [parameter for part in parts for parameter in part.parameters()]
    if not parameters:
        raise UserError(
            "TS-TRAIN-042",
            "With these settings of `freeze` nothing trains",
            fix="Give `trainable_layers` (of the last ones) or `trainable_modules` (by name).",
        )
    return parameters
