"""What `recommend` and `init` share: their options, and the recommendation for them."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import Session, add_cards, add_columns, columns_given, named_cards
from tunesmith_recommend.choice.recommendation import GOALS
from tunesmith_recommend.commands.stages import stages

if TYPE_CHECKING:
    from tunesmith_recommend.choice.recommendation import Recommendation, Wanted
    from tunesmith_recommend.recommended import Wishes

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def add_wishes(parser: ArgumentParser, *, cards: bool = True, sentence: bool = False) -> None:
    """The options that say what is wanted.

    Args:
        cards: those that name cards which are not here, too.
        sentence: the goal may be one.
    """
    parser.add_argument(
        "--goal", choices=None if sentence else GOALS, default="quality", metavar="GOAL" if sentence else None,
        help="quality: the best answers that fit (default); speed: quick ones; memory: the least of the device; edge: a phone or a board"
        + ("; or a sentence, as `tunesmith ask` reads it" if sentence else ""),
    )  # fmt: skip
    parser.add_argument("--task", default="", metavar="TASK", help="what the rows teach, in place of what `tunesmith data facts` says")
    parser.add_argument("--budget", default="", metavar="TIME", help="that training may take: 90m, 4h, 2d (default: 8h)")
    parser.add_argument("--models", type=Path, metavar="FILE", help="a catalogue of your own models (docs/recommend.md)")
    parser.add_argument("--any-model", action="store_true", help="don't ask whether the model can be fetched from here")
    add_columns(parser)
    if cards:
        add_cards(parser)


def seconds_of(text: str) -> float:
    """Seconds that ``90m``, ``4h`` or ``2 d`` mean; 0 for nothing.

    Raises:
        UserError: TS-CLI-002 when it is no time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|min|h|d)", text.strip())
    if text and (not found or not float(found[1])):
        raise UserError("TS-CLI-002", f"--budget {text} is no time", fix="Write for example --budget 4h, 90m or 2d.")
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def wishes_of(args: Namespace) -> Wishes:
    """What those options say.

    Raises:
        UserError: TS-CLI-002 for what is no time or no columns, TS-PLAN-007 for a card that nobody knows.
    """
    from tunesmith_recommend.recommended import Wishes

    named = getattr(args, "on", None) or getattr(args, "cards", None)
    cards = named_cards(args, Session.open().registry) if named else None
    return Wishes(args.goal, args.task, seconds_of(args.budget), columns_given(args), cards, args.models, args.any_model)


_WISHES = {"goal": "quality", "task": "", "budget": "", "models": None, "any_model": False, "columns": [], "on": None, "cards": None}


def options_given(args: Namespace, names: Sequence[str] = (*_WISHES,)) -> dict[str, Any]:
    """Those of the options of `add_wishes` that say something, by their names as they are typed."""
    told = {name: getattr(args, name, None) for name in names}
    return {f"--{name.replace('_', '-')}": value for name, value in told.items() if value not in (None, _WISHES[name])}


def options_again(args: Namespace, names: Sequence[str] = (*_WISHES,)) -> str:
    """The same as they would be typed once more, a space before each."""
    words: list[str] = []
    for name, value in options_given(args, names).items():
        for one in value if isinstance(value, list) else [value]:
            words += [name] if one is True else [name, shlex.quote(str(one))]
    return "".join(f" {word}" for word in words)


def recommendation(args: Namespace, file: Path, folder: Path = Path()) -> tuple[Recommendation, Wanted]:
    """For the rows of a file, in a pipeline that will lie in `folder`. Raises as `recommended` does."""
    from tunesmith_recommend.commands.pipeline_place import named_from
    from tunesmith_recommend.recommended import recommended

    with stages() as tell:
        return recommended(named_from(folder, file), wishes_of(args), base=folder.absolute(), tell=tell)
