"""`tunesmith data facts`: task, language, field, lengths and size of a data file, for who has to choose a model and settings for it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command, add_columns, columns, number, safe, safe_json, size, translated
from tunesmith_cli.api import gettext as _
from tunesmith_data.commands.rows import ROWS, named_rows, rows_of, session_for

if TYPE_CHECKING:
    from tunesmith_data.text_facts.data_facts import DataFacts

_SHOWN = 4  # languages, fields and classes that a page tells of


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=named_rows, metavar="FILE", help=ROWS)
    add_columns(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_data.check.worker import RowCheck
    from tunesmith_data.inspection import inspect
    from tunesmith_data.text_facts.data_facts import facts_of

    session = session_for(args.file)
    with session.reading() as planner:
        path, named = rows_of(args, planner)
        found = inspect(
            path, planner.installed("dataset_format"), share=1.0, columns=named, check=RowCheck(planner),
            roots=planner.roots, near=True,
        )  # fmt: skip
    facts = facts_of(replace(found, path=args.file))
    print(safe_json(facts.to_json(), 2) if args.json else facts_text(facts))
    return 0 if found.usable else 1


def facts_text(found: DataFacts) -> str:
    """The facts as a page."""
    rows = [
        (_("file"), f"{found.path}, {size(found.bytes)}"),
        (_("format"), _format(found)),
        (_("task"), found.task or _("not known")),
        (_("rows"), f"{number(found.rows)}{_quality(found)}"),
        (_("tokens"), _tokens(found)),
        (_("language"), _shares(found.languages, "{name} ({share} of the text)") or _("not known")),
        (_("field"), _shares(found.domains, "{name} ({share} of the rows)") or _("none that stands out")),
        (_("modality"), ", ".join(_modality(name, found.media) for name in found.modalities)),
    ]
    if found.labels:
        named = [f"{name} ({count})" for name, count in sorted(found.labels.items(), key=lambda one: -one[1])]
        more = _(" and {count} more", count=len(named) - _SHOWN) if len(named) > _SHOWN else ""
        rows.append((_("classes"), ", ".join(named[:_SHOWN]) + more))
    rows.append((_("looked at"), _("languages and fields in {count} rows; the rest in all", count=found.sampled)))
    lines = [columns(rows)]
    if found.problem:
        lines += ["", f"{found.problem['code']}: {translated(found.problem['what'])}"]
        lines += [f"  {translated(found.problem[key])}" for key in ("why", "fix")]
    return safe("\n".join(lines))


def _format(found: DataFacts) -> str:
    if not found.format:
        return _("none of the installed formats fits")
    return _("{format}, becomes {what}", format=found.format, what=_(" or ").join(found.produces))


def _modality(name: str, media: Mapping[str, int]) -> str:
    return _("{name} ({count} rows)", name=name, count=media[name]) if name in media else name


def _quality(found: DataFacts) -> str:
    told = [_("{count} broken", count=found.broken)] if found.broken else []
    told += [_("{count} with something empty", count=found.empty)] if found.empty else []
    told += [_("{count} duplicates", count=found.duplicates)] if found.duplicates else []
    told += [_near(found)] if found.near_duplicates else []
    if not told:
        return _(", none broken, empty or there twice")
    return _("; {counted} (`tunesmith data inspect` lists them)", counted=", ".join(told))


def _near(found: DataFacts) -> str:
    if found.compared < found.rows - found.duplicates:
        return _("{count} of the first {compared} nearly as an earlier one", count=found.near_duplicates, compared=number(found.compared))
    return _("{count} nearly as an earlier one", count=found.near_duplicates)


def _tokens(found: DataFacts) -> str:
    if not found.longest:
        return _("none")
    return _(
        "about {tokens} ({characters} characters); a row in twenty is longer than {most}, the longest has {longest}",
        tokens=number(found.tokens), characters=number(found.characters), most=number(found.longest["p95"]),
        longest=number(found.longest["most"]),
    )  # fmt: skip


def _shares(found: Mapping[str, float], template: str) -> str:
    """Args: template: with `name` and `share`; translated here, and listed in `locale/texts.json`."""
    return ", ".join(_(template, name=name, share=f"{share:.0%}") for name, share in list(found.items())[:_SHOWN])


COMMAND = Command(
    "facts", "task, language, field, lengths, size and quality, for choosing a model and settings", configure, run,
    (
        ("what would these rows teach, in which language, of which field?", "tunesmith data facts train.jsonl"),
        ("the same for a program", "tunesmith data facts train.jsonl --json"),
    ),
)  # fmt: skip
