"""The adapter `lora`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import UserError
from tunesmith_lora import eva, files
from tunesmith_lora.experts import LoraExperts, uprights
from tunesmith_lora.experts import kaiming as experts_kaiming
from tunesmith_lora.layer import LoraLinear, kaiming, principal
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api.layers import (
    ALL,
    Stack,
    layer_seed,
    linears,
    replace,
    sizes,
    stacks,
    switched_off,
    targets_and_stacks,
    transposed,
    upright,
)


class Lora:
    """Puts `LoraLinear` in the place of linear layers, and `LoraExperts` of experts; only their A and B train."""

    modules_only = True

    def __init__(self, settings: LoraSettings) -> None:
        self.settings = settings

    def attach(self, model: torch.nn.Module, *, seed: int, reference: bool = False) -> None:
        """The start of each layer depends on the seed and the layer's name only.

        Raises:
            UserError: TS-TRAIN-010 when a target names neither a linear layer nor experts; TS-TRAIN-016 when experts are to be reached with
                dropout.
        """
        model.requires_grad_(False)
        r, dropout, pissa = self.settings.r, self.settings.lora_dropout, self.settings.init_lora_weights == "pissa"
        scale = files.scale(self.settings.lora_alpha, r, self.settings.use_rslora)
        layers, stacks = targets_and_stacks(model, self.settings.target_modules)
        for name, linear in layers.items():
            own = layer_seed(seed, name)
            a, b = principal(self.matrix(linear), r, own, scale) if pissa else kaiming(linear, r, own)
            replace(model, name, LoraLinear(linear, a, b, scale, dropout, from_start=pissa))
        for owner, named in self._owners(stacks).items():
            updates = {stack.parameter: self._update(stack, layer_seed(seed, name), scale) for name, stack in named.items()}
            experts = LoraExperts(model.get_submodule(owner), updates, dict.fromkeys(updates, scale), from_start=pissa)
            replace(model, owner, experts)

    def _owners(self, stacks: Mapping[str, Stack]) -> dict[str, dict[str, Stack]]:
        """By the module that has the parameters. With dropout there are none of those that only `all-linear` names."""
        if self.settings.lora_dropout and stacks:
            if set(self.settings.target_modules) == {ALL}:
                return {}
            raise UserError(
                "TS-TRAIN-016", "An update of experts has no dropout", why="It is added to the matrices before anything is multiplied.",
                fix="Set `lora_dropout: 0`, or leave the experts out of the setting `target_modules`.",
            )  # fmt: skip
        owners: dict[str, dict[str, Stack]] = {}
        for name, stack in stacks.items():
            owners.setdefault(stack.owner, {})[name] = stack
        return owners

    def _update(self, stack: Stack, seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        if self.settings.init_lora_weights != "pissa":
            return experts_kaiming(stack, self.settings.r, seed)
        each = [principal(matrix.float(), self.settings.r, seed + at, scale) for at, matrix in enumerate(uprights(stack))]
        return torch.stack([a for a, _ in each]), torch.stack([b for _, b in each])

    def begin(self, model: torch.nn.Module, passes: Iterable[Callable[[], None]]) -> None:
        """With ``init_lora_weights: eva`` each layer begins where its inputs vary most; a layer that gets no rank is the base's again."""
        if self.settings.init_lora_weights != "eva":
            return
        for name, a in eva.starts(dict(adapted(model)), passes, r=self.settings.r, spread=self.settings.eva_rho).items():
            layer = model.get_submodule(name)
            b = torch.zeros(layer.out_features, len(a), device=a.device)
            replace(model, name, LoraLinear(layer.base, a, b, layer.scale, layer.dropout) if len(a) else layer.base)

    def rates(self, model: torch.nn.Module) -> Mapping[str, float]:
        """B learns faster than A, where it is asked for."""
        ratio = self.settings.loraplus_lr_ratio
        if ratio == 1:
            return {}
        names = [f"{name}.b" for name, _ in adapted(model)]
        return dict.fromkeys([*names, *(f"{owner}.b.{name}" for owner, experts in adapted_experts(model) for name in experts.b)], ratio)

    def matrix(self, linear: Any) -> torch.Tensor:
        """(out, in): W of a layer in float32, however it is kept."""
        return upright(linear).float()

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """The base is still there, under the updates: they are switched off."""
        with switched_off(layer for _, layer in [*adapted(model), *adapted_experts(model)]):
            yield model

    def save(self, model: torch.nn.Module, directory: Path) -> None:
        files.write(directory, dict(adapted(model)), dict(adapted_experts(model)), self.settings)

    def load(self, model: torch.nn.Module, directory: Path) -> None:
        """The weights' names say which layers are adapted, their shapes say the rank: the settings have no part in it."""
        model.requires_grad_(False)
        config, weights = files.read(directory)
        layers, found = linears(model), stacks(model)
        experts = files.experts(directory, config, weights, found)
        for name, (a, b) in weights.items():
            if name not in layers or (a.shape[1], b.shape[0]) != sizes(layers[name]):
                raise files.misfit(directory, f"it adapts a layer `{name}` that the model has not, or has in another size")
            device = layers[name].weight.device
            replace(model, name, LoraLinear(layers[name], a.to(device), b.to(device), config.scale(name, a.shape[0]), config.dropout))
        for owner, updates in experts.items():
            module = model.get_submodule(owner)
            device = next(module.parameters()).device
            scales = {name: config.scale(f"{owner}.{name}", a.shape[1]) for name, (a, _) in updates.items()}
            on_device = {name: (a.to(device), b.to(device)) for name, (a, b) in updates.items()}
            replace(model, owner, LoraExperts(module, on_device, scales))

    def merge(self, model: Any) -> Any:
        """Each update is added to its matrix. An output head that shared its matrix with the embedding gets one of its own."""
        embedding = model.get_input_embeddings().weight
        for name, layer in dict(adapted(model)).items():
            if layer.base.weight is embedding:
                model.config.tie_word_embeddings = False
            folded = (self.matrix(layer.base) + layer.change()).to(layer.base.weight.dtype)
            kept = folded.t().contiguous() if transposed(layer.base) else folded
            layer.base.weight = torch.nn.Parameter(kept, requires_grad=False)
            replace(model, name, layer.base)
        for owner, experts in dict(adapted_experts(model)).items():
            replace(model, owner, experts.merge())
        return model


def adapted(model: torch.nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, LoraLinear))


def adapted_experts(model: torch.nn.Module) -> Iterator[tuple[str, LoraExperts]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, LoraExperts))
