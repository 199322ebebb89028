"""Settings of the adapter `adalora`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError, setting


@dataclass(frozen=True)
class AdaloraSettings:
    target_r: int = setting(8, "rank that the layers have on average in the end", ge=1, aliases=("r", "rank"))
    init_r: int = setting(12, "rank that every layer begins with; above `target_r`", ge=2)
    lora_alpha: float = setting(32.0, "the update is scaled by lora_alpha / init_r", gt=0, aliases=("alpha",))
    tinit_ratio: float = setting(
        0.1, "share of the steps before the first rank is taken away", ge=0, lt=1,
        unlike={"tinit": "it is a share of the steps here, `tinit_ratio`"},
    )  # fmt: skip
    tfinal_ratio: float = setting(
        0.2, "share of the steps at the end in which the ranks stay as they are", ge=0, lt=1,
        unlike={"tfinal": "it is a share of the steps here, `tfinal_ratio`"},
    )  # fmt: skip
    deltaT: int = setting(1, "steps between two allocations of ranks", ge=1, aliases=("delta_t",))  # noqa: N815
    orth_reg_weight: float = setting(0.5, "weight of the penalty that keeps a layer's directions apart from one another", ge=0)
    beta1: float = setting(0.85, "how slowly the measure of a direction's importance forgets earlier steps", gt=0, lt=1)
    beta2: float = setting(0.85, "how slowly the measure of its uncertainty does", gt=0, lt=1)
    lora_dropout: float = setting(0.0, "share of the update's inputs dropped while training", ge=0, lt=1, aliases=("dropout",))
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip


def check(settings: Mapping[str, Any]) -> None:
    """Refuse what leaves nothing to allocate; asked by the plan and by the adapter.

    Raises:
        UserError: TS-TRAIN-037 when no rank can be taken away, or there is no time for it.
    """
    r, start = settings["target_r"], settings["init_r"]
    if r >= start:
        raise UserError(
            "TS-TRAIN-037", f"`init_r: {start}` leaves nothing to take away before the average rank is `target_r: {r}`",
            fix=f"Set `init_r` above `target_r`: {r + (r + 1) // 2} is usual.",
        )  # fmt: skip
    if settings["tinit_ratio"] + settings["tfinal_ratio"] >= 1:
        raise UserError(
            "TS-TRAIN-037",
            f"`tinit_ratio: {settings['tinit_ratio']:g}` and `tfinal_ratio: {settings['tfinal_ratio']:g}` are all of the steps",
            why="Ranks are taken away between the two.", fix="Make their sum less than 1.",
        )  # fmt: skip
