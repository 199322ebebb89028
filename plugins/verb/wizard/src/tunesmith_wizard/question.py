"""A question: what is asked, under which name its answer is kept, which answer is recommended and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """An answer to choose. `help` is what is shown of it while one looks at it."""

    value: str
    label: str
    help: str = ""


def _anything(text: str) -> str:
    return text


@dataclass(frozen=True)
class Question:
    """
    Args:
        key: under which its answer stands in a file of answers.
        options: to choose from; none: the answer is typed.
        recommended: the answer that Enter gives; empty: none. `reason`: why it is that one.
        help: what there is to know before answering.
        check: gives back the answer as it is kept. Raises ValueError that says what is wrong with it.
        several: whether more than one option may be chosen; the answer is then their values with commas between.
        paths: whether what is typed is a path, to be completed.
        open: whether what a file answers need not be an option, if `check` takes it: on another machine there are others.
    """

    key: str
    text: str
    options: Sequence[Option] = ()
    recommended: str = ""
    reason: str = ""
    help: str = ""
    check: Callable[[str], str] = _anything
    several: bool = False
    paths: bool = False
    open: bool = False

    def checked(self, text: str) -> str:
        """The answer, if it is one.

        Raises:
            ValueError: what is wrong with it.
        """
        from tunesmith_cli.api import gettext as _

        text = text.strip()
        known = [option.value for option in self.options]
        if known and not self.several and not self.open and text not in known:
            raise ValueError(_("one of {known} is asked for", known=", ".join(known)))
        unknown = [one for one in text.split(",") if one not in known] if known and self.several else []
        if unknown:
            raise ValueError(_("some of {known} are asked for", known=", ".join(known)))
        if not known and not text:
            raise ValueError(_("an answer is needed"))
        return self.check(text)

    def label(self, value: str) -> str:
        """An answer as it is shown."""
        labels = {option.value: option.label for option in self.options}
        return ", ".join(labels.get(one, one) for one in value.split(",")) if labels else value


def existing_file(text: str) -> str:
    """
    Raises:
        ValueError: there is none of that name.
    """
    from pathlib import Path

    from tunesmith_cli.api import gettext as _

    if not Path(text).expanduser().is_file():
        raise ValueError(_("there is no file {file}", file=text))
    return str(Path(text).expanduser())
