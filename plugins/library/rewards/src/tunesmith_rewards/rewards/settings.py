"""Settings of the rewards."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunesmith.contracts import UserError, setting


def compiled(pattern: str, name: str) -> re.Pattern[str]:
    """A regular expression in which a dot stands for a new line, too.

    Raises:
        UserError: TS-REWARD-002 where it is none.
    """
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        what = f"`{name}` is no regular expression: {pattern!r}"
        raise UserError("TS-REWARD-002", what, why=str(error), fix="See Python's `re`.") from error


@dataclass(frozen=True)
class ExactSettings:
    column: str = setting("answer", "column of the row with the right answer: a text or a number")
    extract: str = setting(
        "", "regular expression whose last match is the answer (its first group, where it has one); empty: the whole completion",
        examples=("####\\s*(\\S+)",),
    )  # fmt: skip
    case_sensitive: bool = setting(False, "whether capitals count; spaces never do")

    def __post_init__(self) -> None:
        compiled(self.extract, "extract")


@dataclass(frozen=True)
class RegexSettings:
    pattern: str = setting(help="regular expression (Python's; a dot stands for a new line, too)", examples=("\\d+",))
    match: str = setting("search", "search: it stands anywhere; fullmatch: it is the whole completion", choices=("search", "fullmatch"))

    def __post_init__(self) -> None:
        compiled(self.pattern, "pattern")


@dataclass(frozen=True)
class FormatSettings:
    tags: tuple[str, ...] = setting(("think", "answer"), "tags that stand once each, in this order, with something in them")
    partial: bool = setting(False, "give the share of the tags that stand right, in place of 0, where not all do")
    outside: bool = setting(False, "whether other text may stand outside of the tags")

    def __post_init__(self) -> None:
        wrong = [tag for tag in self.tags if not re.fullmatch(r"[\w.-]+", tag)]
        if wrong or not self.tags or len(set(self.tags)) < len(self.tags):
            what = f"`tags` has {wrong[0]!r}" if wrong else "`tags` names none, or one twice"
            raise UserError("TS-REWARD-002", what, fix="Name each tag once, without brackets: [think, answer].")


@dataclass(frozen=True)
class LengthSettings:
    at_least: int = setting(0, "shortest length that gets 1", ge=0)
    at_most: int = setting(200, "longest length that gets 1", ge=1)
    falloff: int = setting(50, "how far beyond either the reward has fallen to 0, in a straight line; 0: at once", ge=0)
    unit: str = setting("words", "what is counted", choices=("words", "characters"))

    def __post_init__(self) -> None:
        if self.at_least > self.at_most:
            raise UserError("TS-REWARD-002", f"`at_least` {self.at_least} is more than `at_most` {self.at_most}", fix="Swap them.")


@dataclass(frozen=True)
class CodeSettings:
    column: str = setting("tests", "column of the row with the tests: code, or {input, output}, or a list of these")
    partial: bool = setting(False, "give the share of the tests that pass, in place of 0, where not all do")
    seconds: float = setting(5.0, "that a program may take for a test, by the clock", ge=1, le=600)
    megabytes: int = setting(256, "of memory that a program may ask for", ge=64, le=65536)
