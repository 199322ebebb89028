"""`tunesmith data facts`: task, language, field, lengths and size of a data file, for who has to choose a model and settings for it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command, add_columns, columns, columns_given, number, safe, safe_json, size

if TYPE_CHECKING:
    from tunesmith_data.text_facts.data_facts import DataFacts

_SHOWN = 4  # languages, fields and classes that a page tells of


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="rows as JSON lines, a JSON list, or another format that a plugin reads")
    add_columns(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_cli.api import Session
    from tunesmith_data.check.worker import RowCheck
    from tunesmith_data.inspection import inspect
    from tunesmith_data.text_facts.data_facts import facts_of

    session = Session.open(beside=[args.file])
    with session.reading() as planner:
        found = inspect(
            args.file, planner.installed("dataset_format"), share=1.0, columns=columns_given(args), check=RowCheck(planner),
            roots=planner.roots,
        )  # fmt: skip
    facts = facts_of(found)
    print(safe_json(facts.to_json(), 2) if args.json else facts_text(facts))
    return 0 if found.usable else 1


def facts_text(found: DataFacts) -> str:
    """The facts as a page."""
    rows = [
        ("file", f"{found.path}, {size(found.bytes)}"),
        ("format", f"{found.format}, becomes {' or '.join(found.produces)}" if found.format else "none of the installed formats fits"),
        ("task", found.task or "not known"),
        ("rows", f"{number(found.rows)}{_quality(found)}"),
        ("tokens", _tokens(found)),
        ("language", _shares(found.languages, "of the text") or "not known"),
        ("field", _shares(found.domains, "of the rows") or "none that stands out"),
        ("modality", ", ".join(f"{name} ({found.media[name]} rows)" if name in found.media else name for name in found.modalities)),
    ]
    if found.labels:
        named = [f"{name} ({count})" for name, count in sorted(found.labels.items(), key=lambda one: -one[1])]
        rows.append(("classes", ", ".join(named[:_SHOWN]) + (f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else "")))
    rows.append(("looked at", f"languages and fields in {found.sampled} rows; the rest in all"))
    lines = [columns(rows)]
    if found.problem:
        lines += ["", f"{found.problem['code']}: {found.problem['what']}", *(f"  {found.problem[key]}" for key in ("why", "fix"))]
    return safe("\n".join(lines))


def _quality(found: DataFacts) -> str:
    counted = (("broken", found.broken), ("with something empty", found.empty), ("duplicates", found.duplicates))
    told = [f"{count} {what}" for what, count in counted if count]
    return f"; {', '.join(told)} (`tunesmith data inspect` lists them)" if told else ", none broken, empty or there twice"


def _tokens(found: DataFacts) -> str:
    if not found.longest:
        return "none"
    longest = f"a row in twenty is longer than {number(found.longest['p95'])}, the longest has {number(found.longest['most'])}"
    return f"about {number(found.tokens)} ({number(found.characters)} characters); {longest}"


def _shares(found: Mapping[str, float], what: str) -> str:
    return ", ".join(f"{name} ({share:.0%} {what})" for name, share in list(found.items())[:_SHOWN])


COMMAND = Command(
    "facts", "task, language, field, lengths, size and quality, for choosing a model and settings", configure, run,
    (
        ("what would these rows teach, in which language, of which field?", "tunesmith data facts train.jsonl"),
        ("the same for a program", "tunesmith data facts train.jsonl --json"),
    ),
)  # fmt: skip
