"""What optimizers keep in memory, and what a step of theirs costs: full fine-tuning of SmolLM2-135M, each in a process of its own.

    python benchmarks/optimizers.py [NAME ...]

Prints a row for each: bytes of its state (distinct tensors), the same as its estimator says, the process's peak memory, CPU seconds of a
step of the optimizer (without forward and backward; the first, in which GaLore finds its directions, apart), and the losses of the first
and the last step, on the same rows.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STEPS, BATCH = 6, 8
#: name -> settings of the optimizer, learning rate
OPTIMIZERS: dict[str, tuple[dict[str, Any], float]] = {
    "adamw": ({}, 2e-5), "schedule-free": ({}, 5e-5), "muon": ({}, 2e-5), "lion": ({}, 5e-6), "sgd": ({}, 1e-2),
    "adamw-8bit": ({}, 2e-5), "lion-8bit": ({}, 5e-6), "galore": ({"rank": 128}, 8e-5), "apollo": ({"rank": 256}, 2e-5),
    "apollo-mini": ({"rank": 1, "per": "tensor", "scale": 128.0}, 2e-5), "adafactor": ({}, 1e-3),
}  # fmt: skip


def measured(name: str) -> dict[str, Any]:
    """A short training in this process."""
    from tunesmith.config import load_config
    from tunesmith.contracts import Artifact, EstimateRequest
    from tunesmith.contracts.settings import build, fill
    from tunesmith.isolation.provider_import import build_provider, load
    from tunesmith.plugins.registry import load_registry
    from tunesmith_full.adapter import Full
    from tunesmith_full.settings import FullSettings
    from tunesmith_models import ModelShape
    from tunesmith_sdk.local_step import LocalStep
    from tunesmith_sft.objective import SupervisedTuning
    from tunesmith_single.strategy import SingleProcess
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training.train import run

    values, rate = OPTIMIZERS[name]
    record = load_registry(load_config()).providers("optimizer")[name.removesuffix("-mini")]
    watched = _watched(build_provider(record.target, record.settings, values, record.distribution))
    model = ROOT / "build" / "finetune" / "smollm2"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        rows = map(json.loads, (ROOT / "examples" / "quickstart" / "train.jsonl").read_text().splitlines()[:BATCH])
        (data / "rows.jsonl").write_text("".join(json.dumps({"messages": _turns(row)}) + "\n" for row in rows))
        settings = {"num_train_epochs": STEPS, "batch_size": BATCH, "learning_rate": rate, "save_steps": 0, "save_seconds": 0.0}
        step = LocalStep.make(
            Path(folder) / "step", settings=build(TrainSettings, settings | {"warmup_ratio": 0.0, "lr_scheduler_type": "auto"}), seed=7,
            inputs={"model": Artifact("model/hf", model, digest="m"), "data": Artifact("dataset/chat", data, digest="d")},
            providers={
                "objective": SupervisedTuning(), "adapter": Full(FullSettings()), "strategy": SingleProcess(), "optimizer": watched,
            },
        )  # fmt: skip
        run(step)
    shape = ModelShape.from_config(json.loads((model / "config.json").read_text()))
    request = EstimateRequest(shape.config, settings=fill(record.schema, values), step_settings={"lr_scheduler_type": "auto"})
    held = {value.data_ptr(): value for kept in watched.made.state.values() for value in kept.values() if hasattr(value, "data_ptr")}
    losses = step.reports.metrics["loss"]
    return {
        "name": name, "state": sum(value.numel() * value.element_size() for value in held.values()),
        "estimate": load(record.estimator, record.distribution)(request)["state"] * shape.parameters,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "first": watched.seconds[0],
        "step": sum(watched.seconds[1:]) / (STEPS - 1), "from": losses[0], "to": losses[-1],
    }  # fmt: skip


def _turns(row: dict[str, str]) -> list[Any]:
    from tunesmith_data.api import message

    return [message("user", row["instruction"]), message("assistant", row["output"])]


def _watched(provider: Any) -> Any:
    """The provider, whose optimizer is kept and timed; a schedule of its own stays its own."""
    build = provider.build

    def watching(*args: Any, **more: Any) -> Any:
        provider.made, provider.seconds = build(*args, **more), []
        step = provider.made.step

        def timed(*args: Any, **more: Any) -> None:
            began = time.process_time()
            step(*args, **more)
            provider.seconds.append(time.process_time() - began)

        provider.made.step = timed
        return provider.made

    provider.build = watching
    return provider


def main() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from smollm2 import smollm2

    smollm2(ROOT / "build" / "finetune")
    print("| optimizer | state, MB | as estimated | peak memory, GB | a step, CPU s | the first | loss |\n|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or OPTIMIZERS:
        done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        settings = ", ".join(f"{key} {value:g}" for key, value in OPTIMIZERS[name][0].items() if isinstance(value, (int, float)))
        print(f"| {name}{f' ({settings})' if settings else ''} | {found['state'] / 1e6:.0f} | {found['estimate'] / 1e6:.0f} "
              f"| {found['peak'] / 1e9:.2f} | {found['step']:.2f} | {found['first']:.1f} "
              f"| {found['from']:.3f} to {found['to']:.3f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2])))
    else:
        main()
