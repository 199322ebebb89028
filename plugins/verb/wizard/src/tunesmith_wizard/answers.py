"""Answers: given before in a file, kept as they come, and left behind for whoever stops in the middle."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import UserError
from tunesmith_cli.api import write_whole

_YAML_WORDS = {True: "yes", False: "no"}  # as YAML reads `yes` and `no` that stand without quotes


class Answers:
    """What was answered, by the questions' names, in their order.

    Args:
        given: answers to questions that are still to come; `source`: the file that they are from.
        journal: where all is written as it comes; None: nowhere.
    """

    def __init__(self, given: Mapping[str, str] | None = None, source: str = "", journal: Path | None = None) -> None:
        self.given, self.source, self.journal = dict(given or {}), source, journal
        self.told: dict[str, str] = {}

    def name_of(self, key: str) -> str:
        """The name of a question that may be asked more than once: ``change``, ``change.2`` ..."""
        number, name = 1, key
        while name in self.told:
            number += 1
            name = f"{key}.{number}"
        return name

    def keep(self, name: str, value: str) -> None:
        self.told[name] = value
        self.save()

    def save(self) -> None:
        """Write all of it: what was answered, and what was given and is still to come."""
        if self.journal:
            write_answers(self.journal, {**self.told, **self.given})

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """What is answered meanwhile is not written yet: it may turn out that nothing comes of it."""
        journal, self.journal = self.journal, None
        try:
            yield
        finally:
            self.journal = journal

    def done(self) -> None:
        """All is answered and carried out: nothing is left to go on with."""
        if self.journal:
            self.journal.unlink(missing_ok=True)

    def refuse_unasked(self, still_to_come: tuple[str, ...]) -> None:
        """
        Raises:
            UserError: TS-WIZARD-003 when there are answers to what was not asked.
        """
        unasked = [name for name in self.given if name not in still_to_come]
        if unasked:
            raise UserError(
                "TS-WIZARD-003", f"{self.source} answers `{unasked[0]}`, which is not asked", why=f"Asked was: {', '.join(self.told)}.",
                fix="Take it out, or answer anew and keep the answers: --save-answers FILE.",
            )  # fmt: skip


def read_answers(path: Path) -> dict[str, str]:
    """The answers in a file.

    Raises:
        UserError: TS-WIZARD-001 when it can't be read, or holds something else.
    """
    fix = "`tunesmith wizard --save-answers FILE` writes one."
    try:
        with open_regular(path) as file:
            found: Any = yaml.safe_load(file.read().decode())
    except FileNotFoundError:
        raise UserError("TS-WIZARD-001", f"there is no file of answers {path}", fix=fix) from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.line + 1 if error.problem_mark else 1
        why = f"line {at} is no YAML: {error.problem}"
        raise UserError("TS-WIZARD-001", f"the answers in {path} can't be read", why=why, fix=fix) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError("TS-WIZARD-001", f"the answers in {path} can't be read", why=str(error).splitlines()[0], fix=fix) from None
    if not isinstance(found, dict) or not all(isinstance(value, (str, int, float, bool)) for value in found.values()):
        raise UserError("TS-WIZARD-001", f"{path} holds no answers", why="It should map names of questions to answers.", fix=fix)
    return {str(name): _YAML_WORDS[value] if isinstance(value, bool) else str(value) for name, value in found.items()}


def write_answers(path: Path, told: Mapping[str, str]) -> None:
    """Written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, yaml.safe_dump(dict(told), sort_keys=False, allow_unicode=True))
