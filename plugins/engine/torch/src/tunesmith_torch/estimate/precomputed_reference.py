"""What a plan says of a reference whose log-probabilities are computed once. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import EstimateRequest, UserError

SETTING = "`precompute_ref_log_probs`"
BYTES = 4.0  # of a log-probability, one for each trained token


def precomputes(request: EstimateRequest) -> bool:
    """
    Raises:
        UserError: TS-TRAIN-074 when the objective has no reference.
    """
    if not request.step_settings.get("precompute_ref_log_probs"):
        return False
    objective: Mapping[str, Any] = request.parts.get("objective", {})
    if "reference" in objective and not objective["reference"]:
        raise without_reference("the objective")
    return True


def without_reference(objective: str) -> UserError:
    return UserError(
        "TS-TRAIN-074", f"{SETTING} has no effect: {objective} compares with no reference", why="There is nothing to compute beforehand.",
        fix="Leave the setting out, or train with an objective that has a reference, such as `dpo` or `kto`.",
    )  # fmt: skip


def told(tokens: float) -> tuple[str, str]:
    """The plan's decision, of so many tokens of all rows together."""
    room = f", at most {tokens * BYTES / 1e6:,.1f} MB" if tokens else ""
    return (
        "the reference's log-probabilities are computed once, before the first step",
        f"{SETTING}: they are kept in the cache{room}; training makes no pass of the reference, and a run of the same rows and the same "
        "reference finds them and does not load it",
    )
