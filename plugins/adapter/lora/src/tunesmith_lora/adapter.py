"""The adapter `lora`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith_lora import eva, files
from tunesmith_lora.layer import LoraLinear, kaiming, principal
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.targets import layer_seed, linears, replace, switched_off, targets


class Lora:
    """Puts `LoraLinear` in the place of linear layers; only their A and B train."""

    modules_only = True

    def __init__(self, settings: LoraSettings) -> None:
        self.settings = settings

    def attach(self, model: torch.nn.Module, *, seed: int, reference: bool = False) -> None:
        """The start of each layer depends on the seed and the layer's name only.

        Raises:
            UserError: TS-TRAIN-010 when a target names no linear layer.
        """
        model.requires_grad_(False)
        r, dropout, pissa = self.settings.r, self.settings.dropout, self.settings.start == "pissa"
        scale = files.scale(self.settings.alpha, r, self.settings.rank_stabilised)
        for name, linear in targets(model, self.settings.targets).items():
            own = layer_seed(seed, name)
            a, b = principal(self.matrix(linear), r, own, scale) if pissa else kaiming(linear, r, own)
            replace(model, name, LoraLinear(linear, a, b, scale, dropout, from_start=pissa))

    def begin(self, model: torch.nn.Module, passes: Iterable[Callable[[], None]]) -> None:
        """With ``start: eva`` each layer begins where its inputs vary most; a layer that gets no rank is the base's again."""
        if self.settings.start != "eva":
            return
        for name, a in eva.starts(dict(adapted(model)), passes, r=self.settings.r, spread=self.settings.spread).items():
            layer = model.get_submodule(name)
            b = torch.zeros(layer.out_features, len(a), device=a.device)
            replace(model, name, LoraLinear(layer.base, a, b, layer.scale, layer.dropout) if len(a) else layer.base)

    def rates(self, model: torch.nn.Module) -> Mapping[str, float]:
        """B learns faster than A, where it is asked for."""
        ratio = self.settings.lora_plus
        return {f"{name}.b": ratio for name, _ in adapted(model)} if ratio != 1 else {}

    def matrix(self, linear: torch.nn.Linear) -> torch.Tensor:
        """W of a layer in float32, however it is kept."""
        return linear.weight.detach().float()

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """The base is still there, under the updates: they are switched off."""
        with switched_off(layer for _, layer in adapted(model)):
            yield model

    def save(self, model: torch.nn.Module, directory: Path) -> None:
        files.write(directory, dict(adapted(model)), self.settings)

    def load(self, model: torch.nn.Module, directory: Path) -> None:
        """The weights' names say which layers are adapted, their shapes say the rank: the settings have no part in it."""
        model.requires_grad_(False)
        config, weights = files.read(directory)
        found = linears(model)
        for name, (a, b) in weights.items():
            if name not in found or a.shape[1] != found[name].in_features or b.shape[0] != found[name].out_features:
                raise files.misfit(directory, f"it adapts a layer `{name}` that the model has not, or has in another size")
            device = found[name].weight.device
            replace(model, name, LoraLinear(found[name], a.to(device), b.to(device), config.scale(name, a.shape[0]), config.dropout))

    def merge(self, model: Any) -> Any:
        """Each update is added to its matrix. An output head that shared its matrix with the embedding gets one of its own."""
        embedding = model.get_input_embeddings().weight
        for name, layer in dict(adapted(model)).items():
            if layer.base.weight is embedding:
                model.config.tie_word_embeddings = False
            folded = (self.matrix(layer.base) + layer.change()).to(layer.base.weight.dtype)
            layer.base.weight = torch.nn.Parameter(folded, requires_grad=False)
            replace(model, name, layer.base)
        return model


def adapted(model: torch.nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, LoraLinear))
