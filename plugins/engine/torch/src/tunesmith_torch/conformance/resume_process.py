"""A training step of the objective under test, in a process that may be killed: ``python -m ... QUESTION``, a JSON object.

It writes an empty line before the first optimizer step, and one behind each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

#: what it is composed with: target, settings, their values, distribution
PARTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "adapter": ("tunesmith_lora.adapter:Lora", "tunesmith_lora.settings:LoraSettings", {"r": 4, "lora_alpha": 8.0}, "tunesmith-lora"),
    "strategy": ("tunesmith_single.strategy:SingleProcess", "", {}, "tunesmith-single"),
    "optimizer": ("tunesmith_torch_optim.adamw:AdamW", "tunesmith_torch_optim.settings:AdamWSettings", {}, "tunesmith-torch-optim"),
}
EPOCHS = 3  # of a few rows: some steps with a checkpoint behind each


def main(asked: dict[str, Any]) -> None:
    from tunesmith.contracts import Artifact
    from tunesmith.contracts.settings import build
    from tunesmith.isolation.provider_import import build_provider
    from tunesmith.isolation.worker_step import WorkerStep
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training import train

    home = Path(asked["home"])
    for folder in ("output", "work"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    settings = {
        "dtype": "float32", "batch_size": 2, "learning_rate": 1e-2, "save_steps": 1, "save_time_share": 1.0, "num_train_epochs": EPOCHS,
    }  # fmt: skip
    step = WorkerStep(
        name="learn", output=home / "output", work=home / "work", settings=build(TrainSettings, settings), seed=3,
        inputs={
            "model": Artifact("model/hf", Path(asked["model"]), digest="sha256:base"),
            "data": Artifact(asked["format"], Path(asked["rows"]), digest="sha256:data"),
        },
        providers={
            "objective": build_provider(asked["target"], asked["settings"], asked["values"], asked["distribution"]),
            **{slot: build_provider(*part) for slot, part in PARTS.items()},
        },
        notify=lambda method, params: print(flush=True) if params.get("what") == "train" else None,
    )  # fmt: skip
    train.run(step)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
