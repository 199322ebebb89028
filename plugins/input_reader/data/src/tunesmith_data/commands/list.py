"""`tunesmith data list`: datasets that can be named in a pipeline."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command, columns, number, safe, safe_json
from tunesmith_cli.api import gettext as _

if TYPE_CHECKING:
    from tunesmith_data.named.table import NamedDataset


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--task", metavar="WORD", help="only those for this: chat, preference, math, ...")
    parser.add_argument("--language", metavar="CODE", help="only those in this language: en, zh, ...; multilingual ones count")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    """Exit status 1 if there is none."""
    from tunesmith_data import SOURCE
    from tunesmith_data.commands.rows import session_for
    from tunesmith_data.named.table import named_datasets

    with session_for().reading() as planner:
        every = [*named_datasets(planner.installed(SOURCE).values(), planner.base).values()]
    found = [one for one in every if _wanted(one, args.task, args.language)]
    print(safe_json([asdict(one) for one in found], 2) if args.json else _page(found, every))
    return 0 if found else 1


def _wanted(one: NamedDataset, task: str | None, language: str | None) -> bool:
    spoken = not language or language.lower() in one.languages or "multilingual" in one.languages
    return spoken and (not task or task.lower() in (one.task, one.format))


def _page(found: Sequence[NamedDataset], every: Sequence[NamedDataset]) -> str:
    if not found:
        tasks = ", ".join(sorted({one.task for one in every}))
        return safe(_("none of the {count} datasets is so; tasks: {tasks}", count=len(every), tasks=tasks))
    head = (_("name"), _("task"), _("languages"), _("rows"), _("licence"), _("address"))
    unknown = _("unknown")
    lines = [
        (one.name, one.task, " ".join(one.languages), number(one.rows) if one.rows else unknown,
         unknown if one.licence == "unknown" else one.licence, one.addresses[0])
        for one in sorted(found, key=lambda one: (one.task, one.name))
    ]  # fmt: skip
    told = _("{count} of {every}; `data: NAME` in a pipeline, `tunesmith data inspect NAME`", count=len(found), every=len(every))
    return safe(f"{columns([head, *lines])}\n\n{told}")


COMMAND = Command(
    "list", "public datasets that can be named, and your own", configure, run,
    (
        ("pairs to align on, in Chinese", "tunesmith data list --task preference --language zh"),
        ("all of them, for a program", "tunesmith data list --json"),
    ),
)  # fmt: skip
