"""Settings of the objective `sft`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class SupervisedSettings:
    learn_from: str = setting(
        "answers", "which tokens to learn. answers: all that the assistant says; last: its last answer, with what is before as context; "
        "all: the whole conversation, as in further pre-training",
        choices=("answers", "last", "all"),
    )  # fmt: skip
