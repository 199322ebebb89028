"""Change every setting of every provider of this repository, and write what came of it to docs/conformance/settings.md (law L8).

    python tools/settings_table.py                  # all, each where it would run; an environment that is not built is not built for it
    python tools/settings_table.py tilt acme-hub    # these, anew
    python tools/settings_table.py --none           # change nothing: the page alone

What came of a plugin is kept in build/settings, so that the table can be made in parts; a plugin of which nothing is kept keeps its rows.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith import toml
from tunesmith.errors import TunesmithError
from tunesmith.plugins.manifest import read_manifest
from tunesmith_sdk.conformance import conform
from tunesmith_sdk.conformance.report.outcome import NOT_RUN
from tunesmith_sdk.manifest.source import find_sources, read_source

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance" / "settings.md"
KEPT = ROOT / "build" / "settings"
CHECK = "settings.alive"
DEAD = "dead"
_MARKED = re.compile(r"<!-- (totals|settings) -->\n(.*?)<!-- /\1 -->\n", re.S)
_ROW = re.compile(r"^\| `([\w.-]+)` \| `([\w-]+)` \| (.*) \|$", re.M)


@cache
def sources() -> dict[str, Path]:
    """Distribution -> source folder, of the kernel and of every plugin."""
    folders = [ROOT / "core", *(path for top in ("plugins", "contrib") for path in find_sources(ROOT / top))]
    return {toml.read(folder / "pyproject.toml")["project"]["name"]: folder for folder in folders}


@cache
def declared(folder: Path) -> tuple[tuple[str, str], ...]:
    """Provider and setting, of all that the plugins of a folder declare: by their manifests, of which `make manifests` says that they are
    what the code says."""
    records = [record for source in read_source(folder) for record in read_manifest(source.manifest).providers]
    return tuple((f"{record.kind}.{record.name}", name) for record in records for name in record.schema.get("properties", {}))


def examined(folder: Path, env: str) -> dict[str, dict[str, str]]:
    """Provider -> setting -> where it shows, ``dead``, or ``not run: why``."""
    found: dict[str, dict[str, str]] = {}
    for outcome in conform(folder, env=env, only=[CHECK]).outcomes:
        found[outcome.provider] = dict(outcome.notes)
        if outcome.state == NOT_RUN and not outcome.notes:
            found[outcome.provider] = {"*": f"not run: {outcome.what}"}
    return found


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """Provider, setting and where it shows: what is kept, else what the page says."""
    said = {(provider, name): shows for provider, name, shows in _ROW.findall(text)}
    for distribution, folder in sources().items():
        path = KEPT / f"{distribution}.json"
        kept: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        for provider, name in declared(folder):
            of = kept.get(provider, {})
            yield provider, name, of.get(name) or of.get("*") or said.get((provider, name), "not run: not looked at yet")


def page(text: str) -> str:
    table = list(rows(text))
    states = [DEAD if shows == DEAD else "not run" if shows.startswith("not run") else "alive" for *_, shows in table]
    counts = {state: states.count(state) for state in ("alive", DEAD, "not run")}
    kinds = sorted({provider.partition(".")[0] for provider, *_ in table})
    lines = ["| kind | providers | settings | alive | dead | not run here |", "|---|---|---|---|---|---|"]
    for kind in kinds:
        mine = [(row, state) for row, state in zip(table, states, strict=True) if row[0].partition(".")[0] == kind]
        cells = [len({row[0] for row, _ in mine}), len(mine), *(sum(state == one for _, state in mine) for one in counts)]
        lines.append(f"| `{kind}` | {' | '.join(map(str, cells))} |")
    lines.append(f"| together | {len({row[0] for row in table})} | {len(table)} | {' | '.join(map(str, counts.values()))} |")
    shown = ["| provider | setting | where a change shows |", "|---|---|---|"]
    shown += [f"| `{provider}` | `{name}` | {_cell(shows)} |" for provider, name, shows in table]
    parts = {"totals": lines, "settings": shown}
    return _MARKED.sub(lambda found: f"<!-- {found[1]} -->\n" + "\n".join(parts[found[1]]) + f"\n<!-- /{found[1]} -->\n", text)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plugins", nargs="*", metavar="PLUGIN", help="a distribution, with or without `tunesmith-`")
    parser.add_argument("--env", choices=("host", "isolated", "auto"), default="auto", help="where (default: where each would run)")
    parser.add_argument("--none", action="store_true", help="change nothing")
    args = parser.parse_args()
    known = sources()
    names = [name for name in known if name in args.plugins or name.removeprefix("tunesmith-") in args.plugins]
    if len(names) < len(args.plugins):
        parser.error(f"the plugins are {', '.join(known)}")
    alive = True
    for name in [] if args.none else names or list(known):
        if not declared(known[name]):
            continue
        print(f"{name} ...", end=" ", flush=True)
        try:
            found = examined(known[name], args.env)
        except TunesmithError as error:
            found = {}
            print(error)
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{name}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        dead = [f"{provider}.{setting}" for provider, of in found.items() for setting, shows in of.items() if shows == DEAD]
        print(f"dead: {', '.join(dead)}" if dead else "ok", flush=True)
        alive &= not dead
        PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
