"""What a distribution's README says, for tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from distributions import Distribution, distributions

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Readme:
    one: Distribution

    @cached_property
    def text(self) -> str:
        return (self.one.folder / "README.md").read_text(encoding="utf-8")

    @cached_property
    def commands(self) -> list[str]:
        """The lines of the block that begins with the line that installs it."""
        return next((text.splitlines() for text in self.blocks("", "bash") if text.startswith("pip install ")), [])

    @cached_property
    def exports(self) -> dict[str, str]:
        """Variables that its commands set."""
        return dict(word.split("=", 1) for line in self.commands if line.startswith("export ") for word in shlex.split(line)[1:])

    @cached_property
    def install(self) -> list[str]:
        """What is installed by its line."""
        return shlex.split(self.commands[0], comments=True)[2:] if self.commands else []

    @cached_property
    def pipeline(self) -> str:
        """The example's pipeline, empty where it has none."""
        return next(
            (text for language, text in FENCE.findall(self.text) if language == "yaml" and text.startswith("# tunesmith.yaml\n")), ""
        )

    @property
    def on_cards(self) -> bool:
        """Whether its example runs on no processor: it is planned for another machine."""
        return self.plan != "tunesmith plan"

    @cached_property
    def plan(self) -> str:
        """The command by which the example is planned."""
        return next((line for line in self.commands if line.startswith("tunesmith plan --on ")), "tunesmith plan")

    @cached_property
    def rows(self) -> str:
        """Rows that it shows as an example."""
        return next(self.blocks("json"), "")

    def blocks(self, *languages: str) -> Iterator[str]:
        return (text for language, text in FENCE.findall(self.text) if language in languages)


def readmes() -> list[Readme]:
    """Of every distribution that has code; the README of `tunesmith` is the repository's."""
    return [Readme(one) for one in distributions().values() if one.name != "tunesmith"]
