"""Settings that say how something is done which is not done at all. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tunesmith.contracts import UserError

_ROWS = "Name a file of rows as `validation`, or hold some out: `validation_split: 0.1`. Or leave `{name}` out."
#: setting -> the value with which it asks for nothing
_OF_VALIDATION = {"eval_steps": 0, "early_stopping_patience": 0, "early_stopping_threshold": 0.0}
_OF_SAMPLES = {"sample_steps": 0, "sample_max_tokens": 64}


def check_idle(settings: Mapping[str, Any], inputs: Collection[str]) -> None:
    """
    Args:
        settings: of the step, all of them.
        inputs: names of those that the step is given; empty where that is not known.

    Raises:
        UserError: TS-TRAIN-076 for a setting that would have no effect.
    """
    if inputs and "validation" in inputs and settings["validation_split"]:
        raise UserError(
            "TS-TRAIN-076", "`validation_split` holds rows out, and the step has rows of its own for validation",
            why="Validation is over one of the two.", fix="Leave out `validation_split` or the input `validation`.",
        )  # fmt: skip
    if inputs and "validation" not in inputs and not settings["validation_split"]:
        for name in _asked(settings, _OF_VALIDATION):
            raise _idle(name, "nothing is validated: the step has no rows for it", _ROWS.format(name=name))
    if settings["early_stopping_threshold"] and not settings["early_stopping_patience"]:
        raise _idle(
            "early_stopping_threshold", "nothing stops early: `early_stopping_patience` is 0",
            "Set `early_stopping_patience` to a number of validations, or leave `early_stopping_threshold` out.",
        )  # fmt: skip
    for name in _asked(settings, _OF_SAMPLES) if not settings["sample_prompts"] else ():
        raise _idle(
            name, "the model is asked nothing: `sample_prompts` is empty", f"Write prompts into `sample_prompts`, or leave `{name}` out."
        )


def _asked(settings: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    return [name for name, value in usual.items() if settings[name] != value]


def _idle(name: str, what: str, fix: str) -> UserError:
    return UserError("TS-TRAIN-076", f"`{name}` would have no effect: {what}", fix=fix)
