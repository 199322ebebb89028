"""A training by Tunesmith in this process: the verb `train` as a worker would run it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from device import Device

from tunesmith.contracts import Artifact, Estimate, EstimateRequest
from tunesmith.contracts.settings import build
from tunesmith.isolation.provider_import import build_provider, load
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith.session import Session
from tunesmith_torch.settings import TrainSettings

RATE = 1e-4
#: Beside what an entry asks for: every step tells its loss, and none writes a checkpoint.
USUAL = {
    "learning_rate": RATE, "lr_scheduler_type": "constant", "warmup_ratio": 0.0, "save_steps": 0, "save_seconds": 0.0, "logging_steps": 1,
}  # fmt: skip
SEED = 7


@dataclass
class Trained:
    """Args:
    losses, norms, seconds: by step; the first step's seconds count from the loading of the model.
    begun: LoRA's A by the name of its layer, before the first step.
    peak: bytes.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    begun: dict[str, torch.Tensor] = field(default_factory=dict)
    peak: int = 0


def train(
    device: Device, model: Path, data: Path, folder: Path, settings: Mapping[str, Any], *, objective: str = "sft", adapter: str = "lora",
    adapter_settings: Mapping[str, Any] | None = None,
) -> Trained:  # fmt: skip
    """Train on the rows in `data`; what the step writes lies below `folder`."""
    from tunesmith_single.strategy import SingleProcess

    for name in ("output", "work"):
        (folder / name).mkdir(parents=True)
    done, strategy = Trained(), SingleProcess()
    prepare, last = strategy.prepare, time.perf_counter()

    def prepared(*given: Any) -> Any:
        training = prepare(*given)
        done.begun = {name: module.a.detach().cpu() for name, module in training.model.model.named_modules() if _is_lora(module)}
        return training

    def notify(method: str, params: Mapping[str, Any]) -> None:
        nonlocal last
        if method == "$/metric" and params["name"] == "loss":
            now = time.perf_counter()
            done.seconds.append(now - last)
            last = now
            done.losses.append(params["value"])
        elif method == "$/metric" and params["name"] == "grad_norm":
            done.norms.append(params["value"])

    strategy.prepare = prepared
    kinds = {"objective": ("objective", objective), "adapter": ("adapter", adapter), "optimizer": ("optimizer", "adamw")}
    own = {"adapter": adapter_settings or {}}
    providers = {slot: provider(kind, name, own.get(slot, {})) for slot, (kind, name) in kinds.items()}
    format = "dataset/chat" if objective == "sft" else "dataset/preference"
    step = WorkerStep(
        name="tune", output=folder / "output", work=folder / "work", settings=build(TrainSettings, USUAL | settings), seed=SEED,
        notify=notify, placement=device.placement, providers=providers | {"strategy": strategy},
        inputs={"model": Artifact("model/hf", model, digest="model"), "data": Artifact(format, data, digest=str(data))},
    )  # fmt: skip
    device.forget_peak()
    load("tunesmith_torch.training.train:run")(step)
    device.settle()
    done.peak = device.peak()
    return done


def estimated(
    device: Device, model: Path, data: Mapping[str, Any], settings: Mapping[str, Any], *, objective: str = "sft", adapter: str = "lora",
    adapter_settings: Mapping[str, Any] | None = None,
) -> Estimate:  # fmt: skip
    """What the plan would say of the same."""
    import json
    from dataclasses import asdict

    config = json.loads((model / "config.json").read_text())
    size = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    step_settings = asdict(build(TrainSettings, USUAL | settings))
    request = {"step_settings": step_settings, "data": data, "device": device.torch.type, "dtypes": device.dtypes, "format": "model/hf"}
    parts: dict[str, Any] = {}
    chosen = {"adapter": ("adapter", adapter), "optimizer": ("optimizer", "adamw"), "objective": ("objective", objective)}
    for slot, (kind, name) in chosen.items():
        record = registry().provider(kind, name)
        if record.estimator:
            own = build(load(record.settings), (adapter_settings or {}) if slot == "adapter" else {}) if record.settings else None
            asked = EstimateRequest(
                config, size, settings=asdict(own) if own else {}, parts=parts, model_bytes=size, **request,
            )  # fmt: skip
            parts[slot] = load(record.estimator)(asked)
    found = load(registry().verb("train").estimator)(EstimateRequest(config, size, parts=parts, model_bytes=size, **request))
    assert found is not None, "the model's sizes are known"
    return found


def provider(kind: str, name: str, settings: Mapping[str, Any]) -> Any:
    record = registry().provider(kind, name)
    return build_provider(record.target, record.settings, settings, record.distribution)


@cache
def registry() -> Any:
    return Session.open().registry


def _is_lora(module: torch.nn.Module) -> bool:
    from tunesmith_lora.layer import LoraLinear

    return isinstance(module, LoraLinear)


def sequences(model: Path, data: Path, objective: str = "sft") -> list[Any]:
    """The rows as training encodes them, in their order."""
    from tunesmith_data.api import read_rows
    from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder

    chat, made = chat_encoder(Artifact("model/hf", model)), provider("objective", objective, {})
    return [made.encode(row, chat) for row in read_rows(data)]
