"""Settings of the evaluator `custom`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED, AskingSettings

_CODE = "def score(answer, row):\n    return len(answer) < 40\n"


@dataclass(frozen=True)
class CustomSettings(AskingSettings):
    code: str = setting(
        "", "Python that defines `score(answer, row)`, which gives true or false, a number, or nothing for an answer that can't be scored",
        examples=(_CODE,),
    )  # fmt: skip
    function: str = setting(
        "", "the same function of an installed package, as module:function, in place of `code`", examples=("operator:contains",)
    )
    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.5,))

    def check(self) -> None:
        """
        Raises:
            UserError: TS-EVAL-011 where there is not one of the two.
        """
        if bool(self.code.strip()) == bool(self.function.strip()):
            raise UserError(
                "TS-EVAL-011", "`custom` needs a function" if not self.function else "`custom` has `code` and `function`",
                why="One of the two says how an answer is scored.", fix="Write `code`, or name a `function` as module:function.",
            )  # fmt: skip
