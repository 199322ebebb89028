"""From what is asked for to a pipeline that was planned."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_ask.request import Request
from tunesmith_cli.api import card
from tunesmith_recommend.api import Wishes, named_from, recommended, stages

if TYPE_CHECKING:
    from tunesmith.contracts import Device
    from tunesmith.plugins.registry import Registry
    from tunesmith_recommend.api import Recommendation, Wanted


#: a task of rows -> others that people call it by
_ALIKE = {"instruction": ("chat",), "feedback": ("preference",), "tagging": ("classification",)}


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


def answer(
    request: Request, registry: Registry, *, models: Path | None = None, any_model: bool = False, folder: Path = Path()
) -> Answer:  # fmt: skip
    """The recommendation for a request.

    Args:
        models: a file that describes models of one's own.
        any_model: don't ask whether the model can be fetched from here.
        folder: that the pipeline will lie in.

    Raises:
        UserError: TS-ASK-001 when no rows are named, or they are not there; what recommendations raise.
    """
    if not request.data or not Path(request.data).is_file():
        raise no_rows(request)
    cards = card(registry, request.on) if request.on else None
    wishes = replace(wishes_of(request), cards=cards, models=models, any_model=any_model)
    with stages() as tell:
        found, wanted = recommended(named_from(folder, Path(request.data)), wishes, base=folder.absolute(), tell=tell)
    return Answer(found, wanted, tuple(differing(request, wanted.data, found.pipeline)), cards is None or _has(registry, *cards))


def wishes_of(request: Request) -> Wishes:
    """What a request asks of a recommendation, but for its cards."""
    return Wishes(
        goal=request.goal or "quality", budget=request.budget, model=request.model, named=request.named, settings=request.settings,
        refused=request.refused, counted=bool(request.on),
    )  # fmt: skip


def plain(request: Request) -> Request:
    """The request with what it leaves open closed: the card with the least memory, on which it runs whichever was meant.

    Raises:
        UserError: TS-ASK-005 when it names several files of rows.
    """
    if request.files:
        fix = "Name one with --data FILE; in a pipeline, the verb `mix` makes one of several."
        raise UserError("TS-ASK-005", f"which rows are meant: {', '.join((request.data, *request.files))}?", fix=fix)
    return replace(request, on=request.either[0]) if request.either else request


def no_rows(request: Request) -> UserError:
    """That there is nothing to learn from."""
    return UserError(
        "TS-ASK-001", f"there is no file {request.data}" if request.data else "the sentence names no rows to learn from",
        why="Model, method and settings follow from the rows: their number, length, language and task.",
        fix='Name a file in the sentence ("... with chats.jsonl") or with --data FILE.',
    )  # fmt: skip


def cards_here(request: Request, registry: Registry) -> bool:
    """Whether this machine is meant: no cards are named, or those that are here."""
    return not request.on or _has(registry, *card(registry, request.on))


def _has(registry: Registry, backend: str, cards: Sequence[Device]) -> bool:
    """Whether so many of these cards are in this machine."""
    from tunesmith.planning.placement.devices import probe

    here = 0
    for device in probe(registry).get(backend, ()):
        with contextlib.suppress(UserError):  # no catalogue knows it
            here += card(registry, device.name)[1][0].name == cards[0].name
    return here >= len(cards)


def differing(request: Request, data: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[str]:
    """Where a request and what came of it differ, a sentence each."""
    if len(request.either) > 1 and request.on in request.either:
        others = " or ".join(one for one in request.either if one != request.on)
        yield f"`{request.on}` was taken, which may be {others}, too: say it in the sentence"
    for what, said, found in (
        ("in", request.languages, list(data["languages"])), ("about", request.domains, list(data["domains"])),
    ):  # fmt: skip
        if said and not set(said) & set(found):
            yield f"you said {' and '.join(said)}; the rows are {what} {' and '.join(found[:2]) or 'none of the fields that are known'}"
    if request.tasks and not {data["task"], *_ALIKE.get(data["task"], ())} & set(request.tasks):
        yield f"you said {' and '.join(request.tasks)}; the rows are for {data['task']}"
    yield from (f"`{name}` is in no step of this pipeline" for name in request.settings if not _holds(pipeline["steps"], name))


def _holds(value: Any, name: str) -> bool:
    return isinstance(value, Mapping) and (name in value or any(_holds(item, name) for item in value.values()))
