"""The adapter `ia3`."""

from __future__ import annotations

from typing import Any

from tunesmith_ia3.settings import Ia3Settings
from tunesmith_peft.api import PeftAdapter
from tunesmith_torch.api.layers import linears


class Ia3(PeftAdapter):
    """Outputs of some layers, and inputs of others, are multiplied with a vector that trains and begins at one."""

    def __init__(self, settings: Ia3Settings) -> None:
        super().__init__("ia3", {}, targets=settings.target_modules)
        self.inputs = settings.feedforward_modules

    def config(self, model: Any) -> Any:
        """An input of the setting `feedforward_modules` that is no target is none: with other targets the default would not fit."""
        chosen = super().config(model)
        named = {name for name in linears(model) if any(name == i or name.endswith("." + i) for i in self.inputs)}
        chosen.feedforward_modules = chosen.target_modules & named
        return chosen
