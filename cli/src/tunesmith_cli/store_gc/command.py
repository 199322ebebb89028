"""`tunesmith store gc`, `pin` and `unpin`, and `tunesmith runs prune`."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from tunesmith.units import bytes_of
from tunesmith_cli.chosen_run import opened_journal
from tunesmith_cli.command import Command
from tunesmith_cli.confirmation import confirmed
from tunesmith_cli.display.number_format import size
from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _

if TYPE_CHECKING:
    from tunesmith_cli.store_gc.garbage import Garbage

_SHORT = 12  # letters of a digest
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


def _age(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip())
    if not found:
        raise ArgumentTypeError(f"an age such as 30d, 12h or 2w belongs here, got {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def _size(text: str) -> float:
    if not (found := bytes_of(text)) and text.strip() != "0":
        raise ArgumentTypeError(f"a size such as 50GiB or 500MB belongs here, got {text!r}")
    return found


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"a whole number from 0 belongs here, got {text!r}")
    return int(text)


def _configure_deletion(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="delete without asking; else what would go is shown, and a terminal is asked")
    parser.add_argument("--json", action="store_true", help="print JSON")


# --- store gc ------------------------------------------------------------------------------------------------------------------------


def configure_gc(parser: ArgumentParser) -> None:
    parser.add_argument("--older-than", type=_age, metavar="AGE", help="runs that began longer ago hold nothing any more: 30d, 12h, 2w")
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help="then what was used longest ago, until the store has no more: 50GiB")
    _configure_deletion(parser)


def run_gc(args: Namespace) -> int:
    from tunesmith_cli.store_gc.garbage import Collector

    with opened_journal() as (journal, home):
        if journal is None:
            print("{}" if args.json else _("Nothing has been run in {folder}.", folder=home.parent))
            return 0
        since = time.time() - args.older_than if args.older_than is not None else 0.0
        collector = Collector(home, journal, since, args.max_size)
        found = collector.find()
        delete = args.yes or (not args.json and _shown(found) and _agreed())
        if delete:
            found = collector.collect(found)
    if args.json:
        told = {"artifacts": found.artifacts, "work": {str(folder): count for folder, count in found.work.items()}}
        print(json.dumps({**told, "bytes": found.bytes, "held": sum(found.held.values()), "deleted": bool(delete)}, indent=2))
    elif delete:
        print(_("{size} are free again; {held} are held by runs and pins", size=size(found.bytes), held=size(sum(found.held.values()))))
    return 0


def _shown(found: Garbage) -> bool:
    """Print what can go; whether there is anything."""
    if not found.artifacts and not found.work:
        print(_("Nothing can go: runs and pins hold all {size}.", size=size(sum(found.held.values()))))
        return False
    rows = [(digest.removeprefix("sha256:")[:_SHORT], size(count)) for digest, count in found.artifacts.items()]
    rows += [(_("work {name}", name=folder.name[:_SHORT]), size(count)) for folder, count in found.work.items()]
    print(columns([(_("CAN GO"), _("SIZE")), *rows, (_("together"), size(found.bytes))]))
    print(_("What a later run needs of it is made again. {size} are held by runs and pins.", size=size(sum(found.held.values()))))
    return True


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print(_("Nothing was deleted: `--yes` does."))
        return False
    return confirmed(_("Delete it? [y/N] "))


# --- pins ----------------------------------------------------------------------------------------------------------------------------


def configure_pin(parser: ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="beginning of its digest (default: show what is pinned)")
    parser.add_argument("--because", default="", metavar="TEXT", help="why, for whoever reads the list")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_pin(args: Namespace) -> int:
    from tunesmith.config import load_config
    from tunesmith_cli.store_gc.pins import pin, pins

    home = load_config().home
    if args.artifact:
        pin(home, _digest(args.artifact), args.because)
    found = pins(home)
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print(_("Nothing is pinned."))
    else:
        rows = [(digest.removeprefix("sha256:")[:_SHORT], why) for digest, why in found.items()]
        print(columns([(_("PINNED"), _("BECAUSE")), *rows]))
    return 0


def configure_unpin(parser: ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", help="beginning of its digest")


def run_unpin(args: Namespace) -> int:
    from tunesmith.config import load_config
    from tunesmith.errors import UserError, did_you_mean
    from tunesmith_cli.store_gc.pins import pins, unpin

    home = load_config().home
    found = [digest for digest in pins(home) if digest.removeprefix("sha256:").startswith(args.artifact.removeprefix("sha256:"))]
    if len(found) != 1:
        fix = did_you_mean(args.artifact, (digest.removeprefix("sha256:")[:_SHORT] for digest in pins(home)))
        raise UserError("TS-CLI-018", f"{len(found) or 'no'} pins begin with `{args.artifact}`", fix=fix)
    unpin(home, found[0])
    return 0


def _digest(name: str) -> str:
    from tunesmith.config import load_config
    from tunesmith.errors import UserError, did_you_mean
    from tunesmith.running.store.store import Store

    home = load_config().home
    digests = list(Store(home).digests())
    found = [digest for digest in digests if digest.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))]
    if len(found) != 1:
        what = f"{len(found)} artifacts begin with `{name}`" if found else f"there is no artifact `{name}` in {home}"
        fix = did_you_mean(name, (digest.removeprefix("sha256:")[:_SHORT] for digest in digests))
        raise UserError("TS-CLI-018", what, fix=fix)
    return found[0]


# --- runs prune ----------------------------------------------------------------------------------------------------------------------


def configure_prune(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--keep", type=_count, metavar="N", help="how many of each pipeline stay, the newest (default: 5; with --older-than: 0)"
    )
    parser.add_argument("--older-than", type=_age, metavar="AGE", help="only runs that began longer ago: 30d, 12h, 2w")
    _configure_deletion(parser)


def run_prune(args: Namespace) -> int:
    from tunesmith.running.journal.run_directories import directory
    from tunesmith_cli.store_gc.garbage import LIVE

    with opened_journal() as (journal, home):
        rows = [row for row in journal.runs() if row.state not in LIVE] if journal else []
        keep = args.keep if args.keep is not None else (0 if args.older_than is not None else 5)
        before = time.time() - (args.older_than or 0.0)
        seen: dict[tuple[str, str], int] = {}
        chosen = []
        for row in rows:  # the newest first
            place = (row.pipeline, row.path)
            seen[place] = seen.get(place, 0) + 1
            if seen[place] > keep and row.started <= before:
                chosen.append(row)
        delete = args.yes
        if not args.json and not args.yes:
            for row in chosen:
                print(f"{row.id}  {row.pipeline}  {row.state}")
            if chosen:
                print(_("With what is known of them, their logs and reports. What they made stays until `tunesmith store gc`."))
                delete = _agreed()
            else:
                print(_("No run can go."))
        if delete and journal:
            for row in chosen:
                journal.forget_run(row.id)
                shutil.rmtree(directory(home, row.id), ignore_errors=True)
    if args.json:
        print(json.dumps({"runs": [row.id for row in chosen], "deleted": bool(delete)}, indent=2))
    elif delete:
        print(_("{count} runs are gone", count=len(chosen)))
    return 0


COMMANDS = (
    Command(
        "gc", "delete the artifacts and the begun work that nothing holds any more; shows them first", configure_gc, run_gc,
        (
            ("what could go?", "tunesmith store gc"),
            ("all that no run of the last month made or used", "tunesmith store gc --older-than 30d --yes"),
            ("keep the store below a size", "tunesmith store gc --max-size 50GiB --yes"),
        ),
    ),
    Command(
        "pin", "keep an artifact whatever happens to its runs; show what is kept so", configure_pin, run_pin,
        (("the model that is in production", "tunesmith store pin 3f2ab41c --because 'serves returns since March'"),),
    ),
    Command(
        "unpin", "let it go with its runs again", configure_unpin, run_unpin,
        (("by the beginning of its digest", "tunesmith store unpin 3f2ab41c"),),
    ),
)  # fmt: skip
PRUNE = Command(
    "prune", "forget runs, the oldest first; what they made stays until `store gc`", configure_prune, run_prune,
    (
        ("all but the newest five of each pipeline", "tunesmith runs prune"),
        ("what is older than a month, without asking", "tunesmith runs prune --older-than 30d --yes"),
    ),
)  # fmt: skip
