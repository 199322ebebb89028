"""What PEFT has, read from `methods.json` (written by tools/describe_methods.py), and checking what a user wrote against it.

Standard library and contracts only: the planner asks before anything heavy is there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith.errors import did_you_mean

ALL = "all-linear"
BESIDE = ("ln_tuning", "trainable_tokens")  #: methods that change norms or embeddings
TOGETHER = ("lily",)  #: methods that look at all tokens of a forward pass at once, which differ from one model to the other
OPTIONS_BESIDE = ("modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication")  #: and options that may


@functools.cache
def described() -> Mapping[str, Any]:
    """``{"peft": version, "methods": {name: {"options": JSON Schema}}, "not_carried": {name: reason}}``."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("methods.json").read_text(encoding="utf-8"))
    return found


def schema(method: str) -> Mapping[str, Any]:
    """The JSON Schema of a method's options.

    Raises:
        UserError: TS-TRAIN-030 when this bridge carries no such method.
    """
    known = described()["methods"]
    if method in known:
        found: Mapping[str, Any] = known[method]["options"]
        return found
    reason = described()["not_carried"].get(method)
    if reason:
        raise UserError("TS-TRAIN-030", f"The adapter `peft` does not carry PEFT's `{method}`", why=f"Because {reason}.",
                        fix="Choose another `method`, or the adapter named above.")  # fmt: skip
    raise UserError("TS-TRAIN-030", f"PEFT {described()['peft']} has no method `{method}`", fix=did_you_mean(method, known))


def check(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with the defaults of `method` filled in.

    Raises:
        UserError: TS-TRAIN-030 for a method that is not there; TS-TRAIN-031 naming every option that is not there or of another type.
    """
    allowed = schema(method)
    found = [f"`options.{path}` {sentence}" for path, sentence in problems(allowed, options)]
    if found:
        raise UserError("TS-TRAIN-031", f"The options given to PEFT's `{method}` do not fit: " + "; ".join(found),
                        fix="Correct the options named above; METHODS.md of tunesmith-peft lists all with their meaning.")  # fmt: skip
    defaults = {name: entry["default"] for name, entry in allowed["properties"].items() if "default" in entry}
    return targeted(method, {**defaults, **options})


def modules_only(method: str, options: Mapping[str, Any]) -> bool:
    """Whether it does no more than put layers in the place of linear ones, which compute each token by itself."""
    return method not in (*BESIDE, *TOGETHER) and not any(options.get(name) for name in OPTIONS_BESIDE)


def targeted(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """`options`; where the method goes on linear layers and it is not said on which, on all but the output head."""
    if options.get("target_modules", "") is None and method not in BESIDE:
        return {**options, "target_modules": ALL}
    return dict(options)
