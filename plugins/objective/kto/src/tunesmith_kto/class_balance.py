"""How many good and bad answers there are, and what that means for their weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_kto.settings import UtilitySettings

HIGHEST = 4 / 3  # of the good answers' whole weight to the bad ones', which should be 1 or more: equation 8 of the paper


def weights_told(facts: Iterable[Mapping[str, Any]], settings: UtilitySettings) -> Sequence[str]:
    """A sentence where the weights do not make up for the numbers.

    Raises:
        UserError: TS-DATA-081 when all answers are of one kind.
    """
    labels = [bool(row["label"]) for row in facts]
    good = sum(labels)
    bad = len(labels) - good
    if not good or not bad:
        kind, other = ("good", "bad") if good else ("bad", "good")
        raise UserError(
            "TS-DATA-081", f"All {len(labels)} answers are {kind} ones", why="What a good answer is can't be told without the other kind.",
            fix=f"Add rows with {other} answers" + (", or tune on the good ones with `sft`." if good else "."),
        )  # fmt: skip
    whole = good * settings.desirable_weight, bad * settings.undesirable_weight
    if 1 <= whole[0] / whole[1] <= HIGHEST:
        return ()
    low, high = (f"{factor * whole[1] / good:.3g}" for factor in (1, HIGHEST))
    return (
        f"{good} answers are good and {bad} bad: `desirable_weight` between {low} and {high} would make up for it, or `undesirable_weight` "
        f"between {whole[0] / HIGHEST / bad:.3g} and {whole[0] / bad:.3g}",
    )
