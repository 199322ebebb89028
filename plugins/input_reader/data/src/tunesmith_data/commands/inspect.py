"""`tunesmith data ...`: look into a data file before training on it."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command, add_columns, add_filter, columns, number, safe, safe_json, size, typed
from tunesmith_data.commands.rows import (
    ROWS,
    add_against_filter,
    add_tokens,
    against_words,
    named_rows,
    path_of_rows,
    rows_of,
    session_for,
)  # fmt: skip

if TYPE_CHECKING:
    from tunesmith_data.inspection import Inspection

_SHOWN = 10  # findings of each kind, and rows of the sample, without --all
_BAR = 40


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=named_rows, metavar="FILE", help=ROWS)
    add_columns(parser)
    add_filter(parser)
    parser.add_argument(
        "--validation", type=named_rows, metavar="FILE", help="rows for validation: are its prompts among those of the data?"
    )
    parser.add_argument(
        "--against", type=named_rows, metavar="FILE", help="rows for evaluation: are they among those of the data, or nearly?"
    )
    add_against_filter(parser)
    add_tokens(parser, "look at the rows by the tokens of this model")
    parser.add_argument("--seed", type=typed({"type": "integer"}), default=0, metavar="N", help="draws another sample (default 0)")
    parser.add_argument("--all", action="store_true", help="show all that was kept, not only the first ten of each")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_data.audit.audit import COUNTED, Audit
    from tunesmith_data.audit.fix_command import Inspected
    from tunesmith_data.check.worker import RowCheck
    from tunesmith_data.commands.tokens import shown_tokens, words_of, words_of_tokens
    from tunesmith_data.inspection import inspect
    from tunesmith_data.pii.findings import findings as personal_data

    session = session_for(args.file, args.validation, args.against)
    with session.reading() as planner:
        formats = planner.installed("dataset_format")
        path, named = rows_of(args, planner)
        found = inspect(
            path, formats, seed=args.seed, columns=named, check=RowCheck(planner), roots=planner.roots,
        )  # fmt: skip
        audit = None
        if found.format:
            options = {name: path_of_rows(getattr(args, name), planner) for name in ("validation", "against")}
            options |= {"against_filter": args.against_filter, "tokens": bool(args.model)}
            audit = Audit(planner, path, formats[found.format], named, found.labels, **options)
    if audit and args.model and found.usable:
        settings = {"rows": [1], "scan": COUNTED, "max_length": args.max_length}
        _, total = shown_tokens(session, path, named, args.model, args.objective, settings)
        found = replace(found, audit=audit.by_tokens(total["counts"], args.max_length), audited_by=args.model)
    elif audit:
        found = replace(found, audit=audit.by_characters, audited_by="characters")
    if audit:
        inspected = Inspected(args.file, words_of(args), words_of_tokens(args), args.validation or "", against_words(args))
        found = replace(found, audit=inspected.with_fixes((*found.audit, *personal_data(path, named))))
    found = replace(found, path=args.file)
    print(safe_json(found.to_json(), 2) if args.json else inspection_text(found, 10**9 if args.all else _SHOWN))
    return 0 if found.usable else 1


def inspection_text(found: Inspection, shown: int = _SHOWN) -> str:
    """What was found, as a page."""
    kind = f"{found.format}, becomes {' or '.join(found.produces)}" if found.format else "none of the installed formats fits"
    kind = kind if found.columns else "not known: no row can be read"
    total = found.total
    rows = f"{found.rows}, all usable" if found.usable else f"{found.rows} usable of {total}"
    rows += f"; {found.left_out} more are left out by the filter" if found.left_out else ""
    facts = [
        ("file", f"{found.path}, {size(found.bytes)}"),
        ("format", kind),
        ("rows", rows),
        ("columns", ", ".join(f"{name} ({count})" if count != total else name for name, count in found.columns.items())),
    ]
    facts = facts if found.columns else facts[:-1]
    if found.lengths:
        named = (("least", "shortest"), ("median", "median"), ("mean", "mean"), ("p95", "95%"), ("most", "longest"))
        facts.append(("lengths", ", ".join(f"{word} {number(found.lengths[key])}" for key, word in named) + " characters"))
    if found.unread:
        told = {name: f"; {found.meant[name]} would be" if name in found.meant else "" for name in found.unread}
        facts.append(("not read", ", ".join(f"{name} ({count}{told[name]})" for name, count in found.unread.items())))
    if found.media:
        listed = ", ".join(f"{type} in {count} rows" for type, count in found.media.items())
        facts.append(("media", f"{listed}; whether they can be decoded is seen in the step that reads them"))
    lines = [columns(facts)]
    if found.problem:
        told = found.problem
        lines += ["", f"{told['code']}: {told['what']}", *(f"  {told[key]}" for key in ("why", "fix") if told[key])]
    if found.histogram:
        lines += ["", "rows by length in characters", histogram_text(found)]
    refused = ", ".join(f"{count} {code}" for code, count in found.codes.items())
    for title, count, entries in (
        (
            f"broken rows ({refused})" if refused else "broken rows",
            found.broken_count,
            [(f"line {line}", what) for line, what in found.broken],
        ),
        ("empty", found.empty_count, [(f"line {line}", what) for line, what in found.empty]),
        ("duplicates", found.duplicate_count, [(f"line {line}", f"is line {first} again") for line, first in found.duplicates]),
    ):
        lines += ["", f"{title}: {count}"] if count else []
        lines += [columns(entries[:shown], "  ")] if entries else []
        lines += [f"  ... {count - shown} more (--all, --json)"] if count > shown and entries else []
    wrong = found.broken_count + found.empty_count + found.duplicate_count
    if found.usable and not wrong:
        lines += ["", "no row is broken, empty or there twice"]
    elif wrong and found.format:
        lines += ["", f"a copy without these: tunesmith data fix {found.path} --output FILE"]
    lines += audit_lines(found, shown)
    count = len(found.sample)
    lines += ["", f"a sample to read ({'one row' if count == 1 else f'{count} rows'} drawn by seed {found.seed})"] if count else []
    width = max(60, shutil.get_terminal_size((160, 24)).columns - 12)
    for line, row in found.sample[:shown]:
        text = safe(json.dumps(row, ensure_ascii=False))
        lines.append(f"  line {line}: {text if len(text) <= width else text[: width - 3] + '...'}")
    return safe("\n".join(lines))


def audit_lines(found: Inspection, shown: int) -> list[str]:
    """What speaks against training on the rows as a whole; warnings begin with ``!!``."""
    if not found.audit:
        return []
    by = "characters" if found.audited_by == "characters" else f"the tokens of {found.audited_by}"
    lines = ["", f"the rows as a whole, by {by}"]
    for finding in found.audit:
        at = ", ".join(" and ".join(map(str, line)) if isinstance(line, (tuple, list)) else str(line) for line in finding.lines[:shown])
        told = [f"{finding.what}: {finding.count} of {finding.of}" if finding.name != "labels" else f"labels: {finding.told}"]
        told += [finding.told] if finding.told and finding.name != "labels" else []
        told += [f"lines {at}{', ...' if finding.count > shown else ''}"] if at else []
        told += [f"a warning where {finding.rule}"] if finding.warning else []
        lines.append(("!! " if finding.warning else "   ") + "; ".join(told))
        lines += [f"     fixed by: {finding.fix}"] if finding.fix else []
    return lines


def histogram_text(found: Inspection) -> str:
    most = max(rows for _, _, rows in found.histogram)
    bars = [(f"{low}-{high - 1}", str(rows), "#" * round(rows / most * _BAR) if most else "") for low, high, rows in found.histogram]
    return columns(bars, "  ")


COMMAND = Command(
    "inspect", "format, lengths, duplicates, broken rows with their lines, and a sample", configure, run,
    (
        ("is this file fit to train on? (exit status 1 if it is not)", "tunesmith data inspect train.jsonl"),
        ("are questions of an evaluation among the rows?", "tunesmith data inspect train.jsonl --against held-out.jsonl"),
        ("the lines that are broken, for a program", "tunesmith data inspect train.jsonl --json"),
        ("what speaks against pairs, as a model reads them", "tunesmith data inspect pairs.jsonl --model ./model --validation new.jsonl"),
    ),
)  # fmt: skip
