"""Train every cell of objective x adapter x strategy that a plan takes, and write what came of it to docs/conformance/strategies.md.

    python tools/strategies_table.py            # every strategy whose libraries are in this environment
    python tools/strategies_table.py fsdp       # its cells anew
    python tools/strategies_table.py ddp fsdp --objective reward --adapter lora full
    python tools/strategies_table.py --none     # train nothing: the page alone, after a manifest changed

What came of a strategy is kept in build/strategies; one of which nothing is kept keeps its cells.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from strategies_matrix import CODE, REFUSED, SAME, WARNED, Cell, absent, cells, decided, tried

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance" / "strategies.md"
KEPT = ROOT / "build" / "strategies"
UNTRIED = "not tried here"
_MARKED = re.compile(r"<!-- (totals|cells) -->\n(.*?)<!-- /\1 -->\n", re.S)
_HEADER = re.compile(r"^\| strategy \| adapter \| (.*) \| why the plan refuses or warns \|$", re.M)
_ROW = re.compile(r"^\| `([\w-]+)` \| `([\w-]+)` \| (.*) \|$", re.M)


def page(text: str) -> str:
    """The page with its generated parts made anew."""
    every, found = list(cells()), results(text)
    parts = {"totals": "".join(_totals(every, found)), "cells": "".join(_table(every, found))}
    return _MARKED.sub(lambda marked: f"<!-- {marked[1]} -->\n{parts[marked[1]]}<!-- /{marked[1]} -->\n", text)


def results(text: str) -> dict[Cell, str]:
    """What came of each cell: what is kept, else what the page says."""
    header = _HEADER.search(text)
    objectives = header[1].split(" | ") if header else []
    found: dict[Cell, str] = {}
    for strategy, adapter, rest in _ROW.findall(text):
        found |= {Cell(strategy, adapter, name): said for name, said in zip(objectives, rest.split(" | "), strict=False)}
    for path in sorted(KEPT.glob("*.json")):
        kept: Mapping[str, Mapping[str, str]] = json.loads(path.read_text("utf-8"))
        found |= {Cell(path.stem, adapter, name): said for adapter, by in kept.items() for name, said in by.items()}
    return {cell: _said(cell, found.get(cell, UNTRIED)) for cell in cells()}


def _said(cell: Cell, found: str) -> str:
    """A refusal is the plan's; what was found before a plan refused does not count."""
    if decided(cell).state == REFUSED:
        return decided(cell).code
    return UNTRIED if found == CODE else found


def _totals(every: list[Cell], found: Mapping[Cell, str]) -> Iterator[str]:
    columns = ("cells", "same as alone", "refused by the plan", "with a warning", "something else", UNTRIED)
    yield f"| strategy | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}\n"
    for strategy in dict.fromkeys(cell.strategy for cell in every):
        own = [cell for cell in every if cell.strategy == strategy]
        same, untried = (sum(found[cell] == word for cell in own) for word in (SAME, UNTRIED))
        refused, warned = (sum(decided(cell).state == state for cell in own) for state in (REFUSED, WARNED))
        yield f"| `{strategy}` | {len(own)} | {same} | {refused} | {warned} | {len(own) - same - refused - untried} | {untried} |\n"


def _table(every: list[Cell], found: Mapping[Cell, str]) -> Iterator[str]:
    objectives = sorted({cell.objective for cell in every})
    yield f"| strategy | adapter | {' | '.join(objectives)} | why the plan refuses or warns |\n|{'---|' * (len(objectives) + 3)}\n"
    for strategy, adapter in dict.fromkeys((cell.strategy, cell.adapter) for cell in every):
        own = [Cell(strategy, adapter, objective) for objective in objectives]
        said = dict.fromkeys(decided(cell).reason.partition("because ")[2] for cell in own)
        yield f"| `{strategy}` | `{adapter}` | {' | '.join(found[cell] for cell in own)} | {'; '.join(filter(None, said))} |\n"


def examine(strategy: str, objectives: Container[str] = (), adapters: Container[str] = ()) -> None:
    """Train its cells; what came of them is kept.

    Args:
        objectives, adapters: of these alone; none: of all.
    """
    own = [
        cell
        for cell in cells()
        if cell.strategy == strategy and (not objectives or cell.objective in objectives) and (not adapters or cell.adapter in adapters)
    ]
    wanted = [cell for cell in own if decided(cell).state != REFUSED]
    with tempfile.TemporaryDirectory() as folder:
        found = tried(wanted, Path(folder))
    file = KEPT / f"{strategy}.json"
    by_adapter: dict[str, dict[str, str]] = json.loads(file.read_text("utf-8")) if (objectives or adapters) and file.exists() else {}
    for cell, said in found.items():
        by_adapter.setdefault(cell.adapter, {})[cell.objective] = said.replace("|", "/").replace("\n", " ")[:120]
    KEPT.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(by_adapter, indent=2), encoding="utf-8")


def main() -> int:
    known = list(dict.fromkeys(cell.strategy for cell in cells()))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strategies", nargs="*", metavar="STRATEGY", help=f"of {', '.join(known)}")
    parser.add_argument("--objective", nargs="*", default=(), metavar="NAME", help="of these objectives alone")
    parser.add_argument("--adapter", nargs="*", default=(), metavar="NAME", help="of these adapters alone")
    parser.add_argument("--none", action="store_true", help="train nothing")
    args = parser.parse_args()
    if unknown := set(args.strategies) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}; the strategies of several processes are {', '.join(known)}")
    for strategy in [] if args.none else args.strategies or known:
        if lacks := absent(strategy):
            print(f"{strategy}: not here, it needs {lacks}")
            continue
        print(f"{strategy} ...", flush=True)
        examine(strategy, args.objective, args.adapter)
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
