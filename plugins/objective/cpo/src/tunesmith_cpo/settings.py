"""Settings of the objective `cpo`. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_pairs import refuse_unread

LOSSES = ("sigmoid", "hinge", "ipo", "simpo")
READ_BY = {"label_smoothing": ("sigmoid", "simpo"), "simpo_gamma": ("simpo",)}


@dataclass(frozen=True)
class ContrastiveSettings:
    loss_type: str = setting(
        "sigmoid", "the loss of a pair. sigmoid: of its log-probabilities; hinge: a margin of 1; ipo and simpo: of means over tokens",
        choices=LOSSES, aliases=("pref_loss",),
        unlike={"alphapo": "write `loss_type: simpo`, `cpo_alpha: 0` and `alphapo_alpha: 0.25`"},
    )  # fmt: skip
    beta: float = setting(0.1, "what log-probabilities are multiplied with to be rewards", gt=0)
    cpo_alpha: float = setting(1.0, "what the likelihood of the chosen answer is multiplied with; 0: without", ge=0)
    label_smoothing: float = setting(0.0, "share of pairs assumed to be labelled the wrong way round", ge=0, lt=0.5)
    simpo_gamma: float = setting(
        0.5, "of the loss `simpo`: by how much the chosen answer's reward should be above the rejected one's", ge=0,
        effect={"with": {"loss_type": "simpo"}},
    )  # fmt: skip
    alphapo_alpha: float = setting(0.0, "alpha of AlphaPO: bends the reward to (1 - p^-alpha) / alpha; 0: log p", aliases=("alpha",))

    def check(self) -> None:
        """Asked by the plan and by the objective.

        Raises:
            UserError: TS-TRAIN-093 when a setting is read by another loss only.
        """
        refuse_unread(self, [self.loss_type], READ_BY)
