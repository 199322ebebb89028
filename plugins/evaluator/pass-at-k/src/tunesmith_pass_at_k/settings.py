"""Settings of the evaluator `pass-at-k`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED, RequestSettings

KS = (1, 2, 3, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100)  #: that metrics are declared for
_DRAWN = {"num_samples": 2, "temperature": 0.5}


@dataclass(frozen=True)
class PassAtKSettings(RequestSettings):
    reward: Any = setting(
        "code",
        "what says whether an answer is right: an installed reward's name, or {name: settings}",
        examples=({"regex": {"pattern": "7"}},),
    )
    solved_at: float = setting(1.0, "the reward from which on an answer is right", examples=(2.0,))
    num_samples: int = setting(
        1, "answers to each problem; more than one are drawn with a `temperature`", ge=1, le=1000, effect={"with": {"temperature": 0.5}},
        aliases=("n",),
    )  # fmt: skip
    k: list[int] = setting([1], f"within how many answers: some of {', '.join(map(str, KS))}", effect={"with": _DRAWN}, examples=([1, 2],))
    reward_timeout: float = setting(
        60.0, "seconds that the reward may take for an answer; then it has failed", gt=0,
        effect={"call": "tunesmith_rewards.api:RewardRunner.__init__"},
    )  # fmt: skip
    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.5,))

    def check(self) -> None:
        """
        Raises:
            UserError: TS-EVAL-005 where so many answers can't tell a k, or would all be the same.
        """
        known = ", ".join(map(str, KS))
        if not self.k or any(k not in KS for k in self.k) or max(self.k) > self.num_samples:
            raise UserError(
                "TS-EVAL-005", f"`k` is {self.k}, of {self.num_samples} answers",
                why=f"Each k is one of {known}, and no larger than `num_samples`.",
                fix="Raise `num_samples`, or lower `k`.",
            )  # fmt: skip
        if self.num_samples > 1 and not self.temperature:
            raise UserError("TS-EVAL-005", "several answers are asked for at temperature 0", why="They would all be the same one.",
                            fix="Set a `temperature`, 0.8 say.")  # fmt: skip
