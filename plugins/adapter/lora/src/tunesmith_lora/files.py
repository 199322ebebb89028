"""PEFT's file format, read and written without PEFT: ``adapter_config.json`` and ``adapter_model.safetensors``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import UserError
from tunesmith_lora.experts import LoraExperts
from tunesmith_lora.layer import LoraLinear
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api.layers import Stack, transposed

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"

#: What PEFT can put into a LoRA configuration that changes what is computed and that this adapter does not know.
_FOREIGN = (
    "use_dora", "modules_to_save", "layer_replication", "trainable_token_indices", "lora_bias",
    "alora_invocation_tokens", "use_qalora", "use_bdlora", "arrow_config", "kasa_config", "velora_config", "monteclora_config",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """What of a configuration is needed to run: the scale of each layer, dropout to train on, and which parameters (of experts) are
    updated."""

    alpha: float
    alphas: Mapping[str, float]
    use_rslora: bool
    dropout: float
    parameters: tuple[str, ...] = ()

    def scale(self, name: str, r: int) -> float:
        alpha = next((a for pattern, a in self.alphas.items() if name == pattern or name.endswith("." + pattern)), self.alpha)
        return scale(alpha, r, self.use_rslora)


def scale(alpha: float, r: int, use_rslora: bool) -> float:
    """alpha / r, or alpha / sqrt(r) for rank-stabilised LoRA (Kalajdzievski, arXiv:2312.03732)."""
    return alpha / (r**0.5 if use_rslora else r)


def write(directory: Path, layers: Mapping[str, LoraLinear], experts: Mapping[str, LoraExperts], settings: LoraSettings) -> None:
    """Save A and B of the layers and of the experts in float32; PEFT loads the directory as its own."""
    weights, ranks, alphas = {}, {}, {}
    for name, layer in layers.items():
        a, b = layer.update()
        weights[_PREFIX + name + _A] = a.detach().float().cpu().contiguous()
        weights[_PREFIX + name + _B] = b.detach().float().cpu().contiguous()
        ranks[name], alphas[name] = len(a), layer.scale * len(a)
    for owner, module in experts.items():
        for at, name in enumerate(module.a):
            a, b = module.update(name)
            inner = _PREFIX + owner + ".base_layer" * (len(module.a) - 1 - at)
            weights[inner + _A] = a.detach().float().cpu().flatten(0, 1).contiguous()
            weights[inner + _B] = b.detach().float().cpu().permute(1, 2, 0).flatten(1).contiguous()
            ranks[f"{owner}.{name}"], alphas[f"{owner}.{name}"] = a.shape[1], module.scale[name] * a.shape[1]
    save_file(weights, directory / WEIGHTS, metadata={"format": "pt"})
    (r, rank_pattern), (alpha, alpha_pattern) = _usual(ranks), _usual(alphas)
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "", "r": r, "lora_alpha": alpha,
        "rank_pattern": rank_pattern, "alpha_pattern": alpha_pattern, "lora_dropout": settings.lora_dropout,
        "target_modules": sorted(layers),
        "target_parameters": sorted(f"{owner}.{name}" for owner, module in experts.items() for name in module.a) or None,
        "bias": "none", "fan_in_fan_out": any(transposed(layer.base) for layer in layers.values()), "inference_mode": True,
        "init_lora_weights": True, "use_rslora": False, "use_dora": False, "modules_to_save": None,
    }  # fmt: skip
    (directory / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _usual(values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """The value of most layers, and the others' by name."""
    usual = Counter(values.values()).most_common(1)[0][0]
    return usual, {name: value for name, value in values.items() if value != usual}


def read(directory: Path) -> tuple[Config, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
    """The configuration, and (A, B) by layer name.

    Raises:
        UserError: TS-TRAIN-011 when it is no LoRA that this adapter computes.
    """
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(directory / WEIGHTS)
    except (OSError, ValueError) as error:
        raise misfit(directory, f"it can't be read: {error}") from error
    _check(directory, config)
    weights = {}
    for key, tensor in tensors.items():
        if key.endswith(_A):
            partner = key.removesuffix(_A) + _B
            if partner not in tensors:
                raise misfit(directory, f"{key} has no {partner} beside it")
            weights[key.removeprefix(_PREFIX).removesuffix(_A)] = (tensor.float(), tensors[partner].float())
        elif not key.endswith(_B) or key.removesuffix(_B) + _A not in tensors:
            raise misfit(directory, f"it holds {key}, which is no part of a LoRA")
    alphas, dropout = config.get("alpha_pattern") or {}, float(config.get("lora_dropout") or 0)
    parameters = tuple(config.get("target_parameters") or ())
    return Config(float(config["lora_alpha"]), alphas, bool(config.get("use_rslora")), dropout, parameters), weights


def experts(
    directory: Path, config: Config, weights: dict[str, tuple[torch.Tensor, torch.Tensor]], stacks: Mapping[str, Stack]
) -> dict[str, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
    """By the module that has them and the parameter's name: A and B of each expert, which are taken out of `weights`.

    PEFT wraps a module once for each of its parameters, in their order: what is left of the last has the module's name.

    Raises:
        UserError: TS-TRAIN-011 when they do not fit the model's `stacks`.
    """
    named: dict[str, list[Stack]] = {}
    for name, stack in stacks.items():
        if any(name == wanted or name.endswith("." + wanted) for wanted in config.parameters):
            named.setdefault(stack.owner, []).append(stack)
    if config.parameters and not named:
        raise misfit(directory, f"it adapts parameters `{config.parameters[0]}` that the model has not")
    found: dict[str, dict[str, tuple[torch.Tensor, torch.Tensor]]] = {}
    for owner, own in named.items():
        for at, stack in enumerate(own):
            a, b = weights.pop(owner + ".base_layer" * (len(own) - 1 - at), (None, None))
            count, inputs, outputs = stack.sizes
            if a is None or b is None or a.shape[1] != inputs or b.shape[0] != outputs or len(a) % count or len(a) != b.shape[1]:
                raise misfit(directory, f"it lacks an update of `{owner}.{stack.parameter}`, or has one of another size")
            factors = a.unflatten(0, (count, -1)), b.unflatten(1, (-1, count)).permute(2, 0, 1).contiguous()
            found.setdefault(owner, {})[stack.parameter] = factors
    return found


def _check(directory: Path, config: Mapping[str, Any]) -> None:
    if config.get("peft_type") != "LORA" or "lora_alpha" not in config:
        raise misfit(directory, f"its peft_type is {config.get('peft_type')!r}, not 'LORA'")
    if config.get("bias", "none") != "none":
        raise misfit(directory, "it trains biases")
    for name in _FOREIGN:
        if config.get(name):
            raise misfit(directory, f"it uses `{name}`")


def misfit(directory: Path, reason: str) -> UserError:
    return UserError(
        "TS-TRAIN-011", f"The adapter in {directory.name} can't be put on the model", why=reason[0].upper() + reason[1:] + ".",
        fix="Give the base model that it was trained on, and an adapter of the plain LoRA kind.",
    )  # fmt: skip
