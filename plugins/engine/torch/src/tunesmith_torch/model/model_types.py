"""Which architectures the installed transformers has, read from its files: to import it would take seconds, and a plan has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith.contracts.kinds.model_loader import brings_code
from tunesmith_models.weight_check import needs_code
from tunesmith_torch.data.multimodal.detection import encodes

_NOTHING: Mapping[str, float] = {}
_FILES = ("auto_mappings.py", "configuration_auto.py")  # newer and older releases keep the names in one or the other
_ENTRY = re.compile(r'"([\w.-]+)"\s*[,:]\s*"\w+Config"')


@cache
def known_types() -> frozenset[str]:
    """Values of ``model_type``; none where transformers is not in this environment."""
    found = find_spec("transformers")
    folders = [Path(folder) / "models" / "auto" for folder in (found.submodule_search_locations if found else None) or ()]
    files = [folder / name for folder in folders for name in _FILES]
    return frozenset(name for file in files if file.is_file() for name in _ENTRY.findall(file.read_text("utf-8")))


def refuse_code(config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: TS-MODEL-023 when a model brings its architecture as code and transformers, which is here, has none of its name.
    """
    known, named = known_types(), str(config.get("model_type"))
    if known and named not in known and brings_code(config):
        raise needs_code(f"of type `{named}`")


def refuse_encoder(config: Mapping[str, Any], objective: Mapping[str, float], adapter: Mapping[str, float] = _NOTHING) -> None:
    """
    Args:
        objective, adapter: the parts that their estimators give, see `Asks.parts`.

    Raises:
        UserError: TS-TRAIN-138 for an encoder where next tokens are asked for, or a head of an encoder in fewer bits; and for a model of
            encoder and decoder.
    """
    named = config.get("model_type")
    if config.get("is_encoder_decoder") and "text_config" not in config:
        raise UserError("TS-TRAIN-138", f"`{named}` is a model of encoder and decoder, which the training engine does not train",
                        fix="Take a model that is a decoder alone.")  # fmt: skip
    if encodes(config) and objective.get("log_probs", 1.0):
        raise UserError(
            "TS-TRAIN-138", f"`{named}` is an encoder, and the step needs a next token", why="Its tokens see those after them.",
            fix="Train it with `classify`, `classify-tokens` or `embed`, or take a model that writes.",
        )  # fmt: skip
    if encodes(config) and objective.get("head", 0.0) and adapter.get("quantized"):
        raise UserError(
            "TS-TRAIN-138", f"`{named}` is an encoder, and the adapter loads it in fewer bits, without a head",
            why="Its classifiers have layers of their own between it and the classes, which are trained whole.",
            fix="Take the adapter `lora` or `full`: encoders are small.",
        )  # fmt: skip
