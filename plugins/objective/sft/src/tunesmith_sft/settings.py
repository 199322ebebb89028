"""Settings of the objective `sft`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class SupervisedSettings:
    learn_from: str = setting(
        "answers", "which tokens to learn. answers: what the assistant says; all: the whole conversation, as in further pre-training",
        choices=("answers", "all"),
    )  # fmt: skip
