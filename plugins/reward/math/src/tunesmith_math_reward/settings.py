"""Settings of the reward `math`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class MathSettings:
    column: str = setting("answer", "column of the row with the right answer: a number, an expression or LaTeX")
    extract: str = setting("any", "any: the answer may be LaTeX or plain; latex: LaTeX alone, such as \\boxed{}", choices=("any", "latex"))
    float_rounding: int = setting(6, "digits behind the point to which numbers have to agree", ge=0, le=15)
    strict: bool = setting(True, "variables count by their name; false: by their place")
