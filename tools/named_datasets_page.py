"""Write the table of docs/named-datasets.md from the table of named datasets: `python tools/named_datasets_page.py [--check]`."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

from tunesmith_data.named.table import NamedDataset, named_datasets

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "named-datasets.md"
_MARKED = re.compile(r"<!-- datasets -->\n.*?<!-- /datasets -->\n", re.S)


def written() -> str:
    """The page with its table made anew."""
    return _MARKED.sub(lambda _: f"<!-- datasets -->\n{table()}<!-- /datasets -->\n", PAGE.read_text(encoding="utf-8"))


def table() -> str:
    every = sorted(named_datasets((), ROOT).values(), key=lambda one: (one.task, one.name))
    unknown = sum(one.licence == "unknown" for one in every)
    parts = [f"{len(every)} datasets; the licence of {unknown} and the size of {sum(one.rows is None for one in every)} are not known.\n"]
    for task, several in groupby(every, key=lambda one: one.task):
        parts += [
            f"\n### {task.capitalize()}\n\n| name | from | languages | format, columns | licence | rows |\n|---|---|---|---|---|---|\n"
        ]
        parts += map(_line, several)
    return "".join(parts)


def _line(one: NamedDataset) -> str:
    columns = ", ".join(f"{name}: {column}" for name, column in one.columns.items())
    read = f"{one.format} (`{columns}`)" if columns else one.format
    gated = ", asks for consent" if one.gated else ""
    rows = f"{one.rows:,}" if one.rows else "unknown"
    places = "<br>".join(f"`{address}`" for address in one.addresses)
    return f"| `{one.name}` | {places} | {' '.join(one.languages)} | {read} | {one.licence}{gated} | {rows} |\n"


def main(words: list[str]) -> int:
    text = written()
    if "--check" in words:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
