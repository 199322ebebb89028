"""What a run is asked for: by options, and by a sentence where the goal is one."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import UserError, did_you_mean
from tunesmith_cli.api import safe
from tunesmith_recommend.api import GOALS, Wishes, wishes_of

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry
    from tunesmith_ask.api import Request


def asked(args: Namespace, registry: Registry) -> tuple[Path, Wishes, Request | None]:
    """The file with the rows, the wishes, and the sentence as it was understood, if there is one. What options say counts before it.

    Raises:
        UserError: TS-CLI-002 for a word that is no goal and no sentence, TS-ASK-001 and -005 when it is not plain which rows are meant,
            TS-AUTO-003 for cards that are not here, and what `wishes_of` raises.
    """
    from tunesmith_ask import api as ask

    if args.goal in GOALS:
        if args.data is None:
            raise ask.no_rows(ask.Request())
        return args.data, wishes_of(args), None
    request = ask.read(args.goal, registry, args.models)
    if not request.told() and not args.goal.count(" "):
        raise UserError("TS-CLI-002", f"--goal {args.goal} is no goal, and no sentence", fix=did_you_mean(args.goal, GOALS))
    request = ask.plain(replace(request, data=str(args.data), files=()) if args.data else request)
    if not args.json:
        print(safe(request.page) + "\n")
    if not (request.data and Path(request.data).is_file()):
        raise ask.no_rows(request)
    if not ask.cards_here(request, registry):
        fix = f"`tunesmith ask` writes the pipeline for them; there, leave `{request.on}` out."
        raise UserError("TS-AUTO-003", f"{request.on} is not here, and `tunesmith auto` runs on this machine", fix=fix)
    options = wishes_of(Namespace(**{**vars(args), "goal": request.goal or GOALS[0]}))
    said = ask.wishes_of(request)
    wishes = replace(options, budget=options.budget or said.budget, model=said.model, named=said.named, settings=said.settings,
                     refused=said.refused)  # fmt: skip
    return Path(request.data), wishes, request
