"""PEFT's files, as PEFT itself would write and read them, but the same at every writing and without a path in them."""

from __future__ import annotations

import dataclasses
import enum
import json
from pathlib import Path
from typing import Any

import peft
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.utils.save_and_load import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from tunesmith.contracts import UserError
from tunesmith_peft.methods import described

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def write(wrapped: peft.PeftModel, directory: Path) -> None:
    """Weights as safetensors, the configuration with sorted lists where PEFT has sets."""
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in get_peft_model_state_dict(wrapped).items()}
    save_file(tensors, directory / WEIGHTS, metadata={"format": "pt"})
    # after the weights: getting them may settle options (which directions are left of a rank)
    config = plain(dataclasses.asdict(wrapped.peft_config["default"]))
    config |= {"base_model_name_or_path": "", "inference_mode": True, "auto_mapping": None, "task_type": "CAUSAL_LM"}
    config.pop("runtime_config", None)
    (directory / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """`value` as JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def read_config(directory: Path) -> peft.PeftConfig:
    """The configuration, ready to train on.

    Raises:
        UserError: TS-TRAIN-011 when it can't be read, or is of a method that is not carried.
    """
    try:
        saved = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
        method = saved["peft_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise misfit(directory, f"its configuration can't be read: {error}") from error
    if method not in PEFT_TYPE_TO_CONFIG_MAPPING or method.lower() in set(described()["not_carried"]) - {"adalora"}:
        raise misfit(directory, f"its peft_type is {method!r}")
    try:
        return peft.PeftConfig.from_peft_type(**saved | {"inference_mode": False, "base_model_name_or_path": None})
    except (TypeError, ValueError) as error:
        raise misfit(directory, f"its configuration does not fit: {error}") from error


def read_weights(wrapped: peft.PeftModel, directory: Path) -> None:
    """Put the saved weights in place.

    Raises:
        UserError: TS-TRAIN-011 when they are of another adapter or another model.
    """
    try:
        tensors = load_file(directory / WEIGHTS)
    except (OSError, ValueError) as error:
        raise misfit(directory, f"its weights can't be read: {error}") from error
    expected = get_peft_model_state_dict(wrapped).keys() if wrapped.peft_config["default"].peft_type != "ADALORA" else tensors.keys()
    if strange := sorted(expected ^ tensors.keys()):
        found = "lacks" if strange[0] in expected else "has too much:"
        raise misfit(directory, f"it {found} `{strange[0]}`")
    try:
        set_peft_model_state_dict(wrapped, tensors)
    except (RuntimeError, ValueError, KeyError) as error:
        raise misfit(directory, str(error).splitlines()[-1].strip()) from error


def misfit(directory: Path, reason: str) -> UserError:
    return UserError(
        "TS-TRAIN-011", f"The adapter in {directory.name} can't be put on the model", why=reason[0].upper() + reason[1:] + ".",
        fix="Give the base model that it was trained on, and a whole adapter in PEFT's files.",
    )  # fmt: skip
