"""A training step that learns from its own completions, in a process that kills itself with SIGKILL in the middle of what it is told.

    python learning_process.py MODEL DIRECTORY OBJECTIVE [STAGE NUMBER CHECKPOINTS]

STAGE is where it dies, at the NUMBERth time of those when there are so many CHECKPOINTS already:
``sample``, between two tokens; ``score``, while rewards are asked, or an environment where
there is one; ``update``, between the micro-batches of an optimizer step; ``checkpoint``, when a checkpoint's parameters are written and
nobody can see it yet.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_grpo.objective import GroupRelative
from tunesmith_grpo.settings import GroupSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_ppo.objective import ProximalPolicy
from tunesmith_ppo.settings import ProximalSettings
from tunesmith_rewards.api import EnvironmentRunner, RewardRunner
from tunesmith_single.strategy import SingleProcess
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training import train
from tunesmith_torch.training.checkpoint import storage
from tunesmith_torch.training.experience import sampler
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.settings import AdamWSettings

_TURNS = {  # an untrained model hardly ever ends an answer by itself
    "environment": {"guess-number": {"highest": 4}}, "max_turns": 3, "max_completion_length": 60, "stop": list("aeiouAEIOU0123456789"),
}  # fmt: skip
_SAMPLING = {"rewards": [{"length": {"at_least": 4, "at_most": 12, "unit": "characters"}}], "max_completion_length": 8}
OBJECTIVES: dict[str, Callable[[], Any]] = {
    "grpo": lambda: GroupRelative(
        GroupSettings(**_SAMPLING, num_generations=4, num_iterations=2, steps_per_generation=2, beta=0.1)
    ),
    "ppo": lambda: ProximalPolicy(
        ProximalSettings(**_SAMPLING, num_generations=2, num_ppo_epochs=2, num_mini_batches=2, adap_kl_ctrl=True, horizon=100)
    ),
    "grpo-episodes": lambda: GroupRelative(GroupSettings(**_SAMPLING | _TURNS, num_generations=4, num_iterations=2)),
    "ppo-episodes": lambda: ProximalPolicy(ProximalSettings(**_SAMPLING | _TURNS, num_generations=2, num_ppo_epochs=2)),
}  # fmt: skip
ROWS = [{"messages": [message("user", f"What is {number} plus {number}?")]} for number in range(8)]


def die_at(stage: str, number: int, objective: Any, is_time: Callable[[], bool]) -> None:
    calls = []

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            found = function(*arguments, **named)
            calls.extend([1] * is_time())
            if len(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return call

    if stage == "sample":
        sampler.choose = dying(sampler.choose)
    elif stage == "score":
        RewardRunner.submit = dying(RewardRunner.submit)  # type: ignore[method-assign]
        if objective.settings.environment:
            EnvironmentRunner.step = dying(EnvironmentRunner.step)  # type: ignore[method-assign]
    elif stage == "update":
        objective.loss = dying(objective.loss)
    elif stage == "checkpoint":
        storage._hash_of = dying(storage._hash_of)


def main(model: str, directory: str, name: str, stage: str = "", number: str = "0", checkpoints: str = "0") -> None:
    home = Path(directory)
    for folder in ("output", "work", "data"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    objective = OBJECTIVES[name]()
    if stage:
        die_at(stage, int(number), objective, lambda: len(list((home / "work").rglob("step-*"))) >= int(checkpoints))
    values = {
        "dtype": "float32", "batch_size": 2, "learning_rate": 1e-2, "save_steps": 1, "save_time_share": 1.0, "num_train_epochs": 2,
        "max_tokens_per_microbatch": 64,
    }  # fmt: skip
    step = WorkerStep(
        name="tune", output=home / "output", work=home / "work", settings=build(TrainSettings, values), seed=3,
        inputs={
            "model": Artifact("model/hf", Path(model), digest="sha256:base"),
            "data": Artifact("dataset/prompt", home / "data", digest="sha256:data"),
        },
        providers={
            "objective": objective, "adapter": Lora(LoraSettings(r=4, lora_alpha=8.0)), "strategy": SingleProcess(),
            "optimizer": AdamW(AdamWSettings()),
        },
        notify=lambda method, params: print(json.dumps([method, dict(params)], default=str), flush=True),
    )  # fmt: skip
    train.run(step)


if __name__ == "__main__":
    main(*sys.argv[1:])
