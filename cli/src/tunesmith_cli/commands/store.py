"""`tunesmith store ...`: the artifacts of this home, and whether they are whole."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.command import Command
from tunesmith_cli.display.number_format import size
from tunesmith_cli.store_gc.command import COMMANDS as GARBAGE
from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated

if TYPE_CHECKING:
    from tunesmith.running.store.store import Store

_SHORT = 12  # letters of a digest


def _json_option(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _open() -> tuple[Store, Path]:
    from tunesmith.config import find_home
    from tunesmith.running.store.store import Store

    home = find_home()
    return Store(home), home


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHORT]


# --- ls and du -----------------------------------------------------------------------------------------------------------------------


def _listed(store: Store) -> list[dict[str, Any]]:
    found = []
    for digest in store.digests():
        record = store.record(digest)
        made = record["producer"] if record else {}
        found.append({
            "digest": digest, "format": record["format"] if record else "", "bytes": store.size(digest), "whole": record is not None,
            "producer": {name: made[name] for name in ("kind", "name", "distribution", "version") if name in made},
            "path": str(store.path(digest)),
        })  # fmt: skip
    return found


def run_ls(args: Namespace) -> int:
    store, home = _open()
    found = _listed(store)
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print(_("There are no artifacts in {home}.", home=home))
    else:
        rows = [(_("ARTIFACT"), _("FORMAT"), _("SIZE"), _("FIRST MADE BY"))]
        for one in found:
            made = " ".join(filter(None, (one["producer"].get("name"), one["producer"].get("version"))))
            rows.append((short(one["digest"]), one["format"] or _("DAMAGED"), size(one["bytes"]), made))
        print(columns(rows))
    return 0


def run_du(args: Namespace) -> int:
    store, home = _open()
    formats: dict[str, list[int]] = {}
    for one in _listed(store):
        formats.setdefault(one["format"] or "damaged", []).append(one["bytes"])
    aside = _bytes_below(home / "damaged")
    if args.json:
        print(json.dumps({"artifacts": {name: sum(found) for name, found in formats.items()}, "damaged": aside}, indent=2))
        return 0
    rows = [(name, str(len(found)), size(sum(found))) for name, found in sorted(formats.items())]
    rows.append((_("together"), str(sum(map(len, formats.values()))), size(sum(map(sum, formats.values())))))
    print(columns([(_("FORMAT"), _("ARTIFACTS"), _("SIZE")), *rows]))
    if aside:
        told = {"size": size(aside), "folder": home / "damaged"}
        print(_("and {size} of damaged artifacts that were taken out, in {folder}; they may be deleted", **told))
    return 0


def _bytes_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


# --- verify --------------------------------------------------------------------------------------------------------------------------


def configure_verify(parser: ArgumentParser) -> None:
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help="beginnings of their digests (default: all)")
    _json_option(parser)


def run_verify(args: Namespace) -> int:
    store, home = _open()
    chosen = _chosen(list(store.digests()), args.artifacts, home)
    wrong = {digest: problem for digest in chosen if (problem := store.problem(digest, float("inf")))}
    kept = {digest: str(store.set_aside(digest)) for digest in wrong}
    total = sum(map(store.size, chosen))
    if args.json:
        damaged = [{"digest": digest, "damage": problem, "kept": kept[digest]} for digest, problem in wrong.items()]
        print(json.dumps({"artifacts": len(chosen), "bytes": total, "damaged": damaged}, indent=2))
        return int(bool(wrong))
    for digest, problem in wrong.items():
        print(f"{_('DAMAGED')}  {short(digest)}: {translated(problem)}")
        print("         " + _("taken out of the store, to {place}; the next run that needs it makes it again", place=kept[digest]))
    if chosen:
        told = {"whole": len(chosen) - len(wrong), "count": len(chosen), "size": size(total)}
        print(_("{whole} of {count} artifacts are what they were when they were made ({size} read)", **told))
    else:
        print(_("There are no artifacts in {home}.", home=home))
    return int(bool(wrong))


def _chosen(digests: Sequence[str], names: Sequence[str], home: Path) -> list[str]:
    from tunesmith.errors import UserError, did_you_mean

    found: dict[str, None] = {}
    for name in names:
        meant = [digest for digest in digests if digest.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))]
        if not meant:
            raise UserError("TS-CLI-018", f"there is no artifact `{name}` in {home}", fix=did_you_mean(name, map(short, digests)))
        found |= dict.fromkeys(meant)
    return list(found) if names else list(digests)


COMMANDS = (
    Command("ls", "all artifacts, with who made them first", _json_option, run_ls, (("what is there", "tunesmith store ls"),)),
    Command("du", "how much room they take, by format", _json_option, run_du, (("what takes the room", "tunesmith store du"),)),
    Command(
        "verify", "read every artifact and hash it; what is damaged is taken out, and made again by the next run that needs it",
        configure_verify, run_verify,
        (
            ("is everything what it was? (exit status 1 if not)", "tunesmith store verify"),
            ("one artifact, by the beginning of its digest", "tunesmith store verify 3f2ab41c"),
        ),
    ),
    *GARBAGE,
)  # fmt: skip
