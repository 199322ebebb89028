"""Settings of the objectives `classify` and `classify-tokens`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class ClassifySettings:
    labels: list[str | int] = setting(
        [], "all classes that rows may have, in the order of their numbers: two or more, none twice", examples=(["negative", "positive"],)
    )


@dataclass(frozen=True)
class TextSettings(ClassifySettings):
    problem_type: str = setting(
        "single_label_classification", "what the model tells of a text, as transformers calls it: its class; "
        "(`multi_label_classification`) all of its classes, which rows list as `labels`; or (`regression`) the number that rows have as "
        "`label`", choices=("single_label_classification", "multi_label_classification", "regression"),
    )  # fmt: skip
