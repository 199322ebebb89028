"""From what is asked for to a pipeline that was planned."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_ask.request import Request
from tunesmith_cli.api import card
from tunesmith_recommend.api import Wishes, recommended

if TYPE_CHECKING:
    from tunesmith.contracts import Device
    from tunesmith.plugins.registry import Registry
    from tunesmith_recommend.api import Recommendation, Wanted


@dataclass(frozen=True)
class Answer:
    """
    Args:
        remarks: where rows and sentence differ, and what of the sentence is not in the pipeline.
        here: whether the cards that are named are in this machine.
    """

    found: Recommendation
    wanted: Wanted
    remarks: tuple[str, ...]
    here: bool = True


def answer(request: Request, registry: Registry, *, models: Path | None = None, any_model: bool = False) -> Answer:
    """The recommendation for a request.

    Args:
        models: a file that describes models of one's own.
        any_model: don't ask whether the model can be fetched from here.

    Raises:
        UserError: TS-ASK-001 when no rows are named, or they are not there; what recommendations raise.
    """
    if not request.data or not Path(request.data).is_file():
        raise no_rows(request)
    cards = card(registry, request.on) if request.on else None
    wishes = Wishes(
        goal=request.goal or "quality", budget=request.budget, cards=cards, models=models,
        any_model=any_model, model=request.model, named=request.named, settings=request.settings,
    )  # fmt: skip
    found, wanted = recommended(Path(request.data), wishes)
    return Answer(found, wanted, tuple(_differing(request, wanted.data, found.pipeline)), cards is None or _has(registry, *cards))


def no_rows(request: Request) -> UserError:
    """That there is nothing to learn from."""
    what = f"there is no file {request.data}" if request.data else "the sentence names no rows to learn from"
    return UserError(
        "TS-ASK-001", what, why="Model, method and settings follow from the rows: their number, length, language and task.",
        fix='Name a file in the sentence ("... with chats.jsonl") or with --data FILE.',
    )  # fmt: skip


def _has(registry: Registry, backend: str, cards: Sequence[Device]) -> bool:
    """Whether so many of these cards are in this machine."""
    from tunesmith.planning.placement.devices import probe

    here = 0
    for device in probe(registry).get(backend, ()):
        with contextlib.suppress(UserError):  # no catalogue knows it
            here += card(registry, device.name)[1][0].name == cards[0].name
    return here >= len(cards)


def _differing(request: Request, data: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[str]:
    for what, said, found in (
        ("in", request.languages, list(data["languages"])), ("about", request.domains, list(data["domains"])),
    ):  # fmt: skip
        if said and not set(said) & set(found):
            yield f"you said {' and '.join(said)}; the rows are {what} {' and '.join(found[:2]) or 'none of the fields that are known'}"
    yield from (f"`{name}` is in no step of this pipeline" for name in request.settings if not _holds(pipeline["steps"], name))


def _holds(value: Any, name: str) -> bool:
    return isinstance(value, Mapping) and (name in value or any(_holds(item, name) for item in value.values()))
