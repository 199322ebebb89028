"""A training step of the objective under test, in a process that may be killed: ``python -m ... QUESTION``, a JSON object.

It writes an empty line before the first optimizer step, and one behind each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EPOCHS = 3  # of a few rows: some steps with a checkpoint behind each


def main(asked: dict[str, Any]) -> None:
    from tunesmith.contracts import Artifact
    from tunesmith.contracts.settings import build
    from tunesmith.isolation.provider_import import build_provider
    from tunesmith.isolation.worker_step import WorkerStep
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings
    from tunesmith_single.strategy import SingleProcess
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training import train
    from tunesmith_torch_optim.adamw import AdamW
    from tunesmith_torch_optim.settings import AdamWSettings

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
            "adapter": Lora(LoraSettings(r=4, lora_alpha=8.0)), "strategy": SingleProcess(), "optimizer": AdamW(AdamWSettings()),
        },
        notify=lambda method, params: print(flush=True) if params.get("what") == "train" else None,
    )  # fmt: skip
    train.run(step)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
