"""Settings of the objective `sft`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class SupervisedSettings:
    train_on: str = setting(
        "assistant", "which tokens are trained on. assistant: all that the assistant says; last_assistant: its last answer, with what is "
        "before as context; all: the whole conversation, as in further pre-training", choices=("assistant", "last_assistant", "all"),
        unlike={
            "assistant_only_loss": "write `train_on: assistant`", "completion_only_loss": "write `train_on: last_assistant`",
            "train_on_inputs": "write `train_on: all`",
        },
    )  # fmt: skip
