"""LoRA adapters that vLLM serves beside their base: what it takes of them, and the options that say so. The standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.step import Step
from tunesmith_vllm.settings import RANKS, VllmSettings

#: of `init_lora_weights`, names that change nothing but the adapter
STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")


@dataclass(frozen=True)
class LoraAdapter:
    """Args:
    name: under which requests ask for it.
    rank: the highest of its matrices.
    layers: last parts of the names of the layers that it is on (``q_proj``).
    """

    name: str
    path: Path
    rank: int
    layers: frozenset[str]


def lora_adapters(step: Step, model: Artifact, served: str) -> tuple[LoraAdapter, ...]:
    """The adapters that the step reads beside its model, each under the name of the step that made it.

    Args:
        served: the base's name in requests.

    Raises:
        UserError: TS-SERVE-056 for one that vLLM can't serve, or would serve as something else than was trained.
    """
    keys = (key for key in numbered("adapters", len(step.inputs)) if key in step.inputs)
    return tuple(_adapter(step.sources.get(key, key), step.inputs[key], model, served) for key in keys)


def _adapter(name: str, artifact: Artifact, model: Artifact, served: str) -> LoraAdapter:
    config = json.loads((artifact.path / "adapter_config.json").read_text(encoding="utf-8"))
    base = artifact.refs.get("base")
    layers = _layers(artifact.path)
    why = _unlike(config)
    if name == served:
        why = f"requests ask for the model itself by the name `{served}`"
    elif base and base.digest and model.digest and base.digest != model.digest:
        why = "it was trained on another model than the one that is served"
    elif "lm_head" in layers:  # its logits' LoRA takes one row a request: "subscript b has size 11 for operand 1" (0.32.0)
        why = "it is on `lm_head`, and vLLM ends when a prompt's log-probabilities are asked of such an adapter"
    if why:
        raise UserError("TS-SERVE-056", f"vLLM can't serve the adapter `{name}` beside its base", why=f"{why[0].upper()}{why[1:]}.",
                        fix=f"Serve it merged: `from: {name}`, without `adapters`.")  # fmt: skip
    return LoraAdapter(name, artifact.path, _rank(config), layers)


def check_policy(weights: Artifact, settings: VllmSettings) -> None:
    """Of a training step's weights, before they are loaded.

    Raises:
        UserError: TS-SERVE-065 for what vLLM does not compute as it is trained.
    """
    if weights.format != "adapter/peft":
        if settings.quantization:
            why = f"It rounds them by `quantization: {settings.quantization}`, and they are trained as they are."
            raise UserError("TS-SERVE-065", "vLLM can't sample with the weights that are trained", why=why, fix="Leave `quantization` out.")
        return
    adapter, max_rank = weights.path, settings.max_lora_rank
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    why, fix = _unlike(config), "Train plain LoRA (`adapter: lora`), or leave `sampler` out: then the training step samples by itself."
    if not why and _rank(config) > max_rank:
        why, rank = f"its rank is {_rank(config)}, and `max_lora_rank` is {max_rank}", next(one for one in RANKS if one >= _rank(config))
        fix = f"Give the serving step `serve: {{vllm: {{max_lora_rank: {rank}}}}}`."
    if not why and "lm_head" in _layers(adapter):
        why = "it is on `lm_head`, which vLLM's LoRA does not compute for each token's log-probability"
    if why:
        raise UserError("TS-SERVE-065", "vLLM can't sample with the adapter that is trained", why=f"{why[0].upper()}{why[1:]}.", fix=fix)


def _unlike(config: Mapping[str, Any]) -> str:
    """What of an adapter vLLM does not compute (``vllm/lora/peft_helper.py``, which says it when the model is loaded); empty if nothing."""
    start = config.get("init_lora_weights", True)
    if config.get("peft_type") != "LORA":
        return f"it serves LoRA, and this is {config.get('peft_type', 'something else')}"
    if config.get("use_dora"):
        return "it serves no DoRA"
    if isinstance(start, str) and start.lower() not in STARTS:
        return f"its base was changed at the start (`init_lora_weights: {start}`)"
    if config.get("lora_bias") or config.get("bias", "none") != "none":
        return "it has biases of its own"
    if config.get("modules_to_save"):
        return "it has whole modules beside the low-rank updates"
    if _rank(config) > RANKS[-1]:
        return f"its rank is {_rank(config)}, and the highest is {RANKS[-1]}"
    return ""


def _layers(path: Path) -> frozenset[str]:
    """From the head of its file: tensors are called ``base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight``."""
    with open(path / "adapter_model.safetensors", "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return frozenset(name.rpartition(".lora_")[0].rpartition(".")[2] for name in head if ".lora_" in name)


def _rank(config: Mapping[str, Any]) -> int:
    """The highest of its layers'."""
    return max(int(config["r"]), *(config.get("rank_pattern") or {0: 0}).values())


def options(adapters: Sequence[LoraAdapter], device: str) -> dict[str, Any]:
    """vLLM's options for them: all may be in one batch, none is evicted, and layers that none of them is on are left as they are (of those
    that it would wrap else, the last one ends it at a request for a prompt's log-probabilities)."""
    if not adapters:
        return {}
    # On a processor, vLLM 0.32.0 adds the adapter in the last slot to what the base is asked, whose index is -1 (lora/ops/torch_ops): that
    # slot stays empty.
    slots = len(adapters) + (device == "cpu")
    highest = max(adapter.rank for adapter in adapters)
    return {
        "enable_lora": True, "max_lora_rank": next(rank for rank in RANKS if rank >= highest), "max_loras": slots,
        "lora_target_modules": sorted(frozenset().union(*(adapter.layers for adapter in adapters))),
        "lora_modules": [json.dumps({"name": adapter.name, "path": str(adapter.path)}) for adapter in adapters],
    }  # fmt: skip
