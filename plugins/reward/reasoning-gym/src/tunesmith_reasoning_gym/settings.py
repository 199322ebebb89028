"""Settings of the verb and of the reward `reasoning-gym`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting


@dataclass(frozen=True)
class TaskSettings:
    tasks: list[Any] = setting(
        ["chain_sum"], "reasoning-gym's tasks, in turn: names, or mappings of a name to settings of its configuration",
        examples=(["leg_counting"], [{"chain_sum": {"max_terms": 3}}, "spell_backward"]),
    )  # fmt: skip
    size: int = setting(500, "how many rows; questions that were there before are left out", ge=1)
    first: int = setting(
        0, "the number of the first one: with `first: 500` none of the first 500 is among them, for rows to be held out", ge=0
    )


@dataclass(frozen=True)
class TaskRewardSettings:
    tag: str = setting(
        "answer", "the answer is what stands last between <tag> and </tag>; without one, and where this is empty, all of the text"
    )
