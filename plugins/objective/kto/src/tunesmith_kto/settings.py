"""Settings of the objective `kto`. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class UtilitySettings:
    loss_type: str = setting(
        "kto", "the loss. kto: what an answer gains over the average one; apo_zero_unpaired: what it gains over the reference, without an "
        "average to be measured; bco: a classifier of good and bad answers, against the running mean of all rewards",
        choices=("kto", "apo_zero_unpaired", "bco"),
    )  # fmt: skip
    beta: float = setting(
        0.1, "how strongly the model is held to what it was before: less lets it move further", gt=0, aliases=("pref_beta", "kto_beta")
    )
    desirable_weight: float = setting(1.0, "what the loss of a good answer is multiplied with", gt=0, aliases=("kto_chosen_weight",))
    undesirable_weight: float = setting(1.0, "what the loss of a bad answer is multiplied with", gt=0, aliases=("kto_rejected_weight",))
