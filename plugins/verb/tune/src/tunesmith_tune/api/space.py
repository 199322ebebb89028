"""One dimension of a search: a place in a pipeline, and the values that may stand there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Value = bool | int | float | str
Form = Literal["uniform", "log", "int", "choice"]


@dataclass(frozen=True)
class Parameter:
    """What may stand at a place of a pipeline.

    Args:
        name: the place, as ``--set`` names it: ``steps.tune.settings.learning_rate``.
        form: ``uniform`` and ``log``: any number from `low` to `high`, drawn evenly or evenly on a logarithmic scale; ``int``: whole
            numbers from `low` to `high`, `step` apart; ``choice``: one of `choices`.
        low, high: both belong to it.
        step: of whole numbers.
        choices: in the order in which they were written.
    """

    name: str
    form: Form
    low: float = 0.0
    high: float = 0.0
    step: int = 1
    choices: tuple[Value, ...] = ()

    @property
    def numeric(self) -> bool:
        return self.form != "choice"

    def has(self, value: object) -> bool:
        """Whether a value may stand there; its type counts, too."""
        if self.form == "choice":
            return any(value == one and type(value) is type(one) for one in self.choices)
        if self.form == "int":
            return type(value) is int and self.low <= value <= self.high and (value - int(self.low)) % self.step == 0
        return isinstance(value, float) and self.low <= value <= self.high

    def draw(self, random: Random) -> Value:
        """A value, every one as likely as every other (``log``: every power as likely)."""
        if self.form == "choice":
            return self.choices[random.randrange(len(self.choices))]
        if self.form == "int":
            return random.randrange(int(self.low), int(self.high) + 1, self.step)
        return self.at(random.random())

    def spread(self, most: int) -> list[Value]:
        """So many values at most, spread over all of it, both ends among them; of choices all."""
        if self.form == "choice":
            return list(self.choices)
        shares = [0.5] if most == 1 else [index / (most - 1) for index in range(most)]
        if self.form == "int":
            count = (int(self.high) - int(self.low)) // self.step
            places = range(count + 1) if count < most else sorted({round(share * count) for share in shares})
            return [int(self.low) + place * self.step for place in places]
        return list(dict.fromkeys(self.at(share) for share in shares))

    def at(self, share: float) -> float:
        """The number that lies at a share, 0 to 1, of the way from `low` to `high`: of ``uniform`` and ``log``."""
        if share in (0, 1):
            return float(self.high if share else self.low)
        if self.form == "log":
            found = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + share * (self.high - self.low)
        return min(max(found, self.low), self.high)  # rounding may have left the range

    def share(self, value: Value) -> float:
        """Where a value lies between the ends, 0 to 1; of choices by their order."""
        if self.form == "choice":
            return self.choices.index(value) / max(1, len(self.choices) - 1)
        if self.high == self.low:
            return 0.5
        number = float(value)
        if self.form == "log":
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (number - self.low) / (self.high - self.low)


def size(space: Sequence[Parameter]) -> float:
    """How many different trials there are; infinite where one parameter is a range of numbers."""
    total = 1.0
    for one in space:
        if one.form == "choice":
            total *= len(set(one.choices))
        elif one.form == "int":
            total *= (int(one.high) - int(one.low)) // one.step + 1
        elif one.high > one.low:
            return math.inf
    return total
