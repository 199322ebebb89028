"""Write the coverage in docs/import.md, what becomes of other tools' keys, from the tables: `python tools/import_page.py [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith import toml
from tunesmith.isolation.provider_import import load
from tunesmith_import.mapping.table import REFUSED, Table, read_table
from tunesmith_import.output.coverage import counted

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "import.md"
MANIFEST = ROOT / "plugins/verb/import/src/tunesmith_import/plugin.toml"
BEGIN, END = "<!-- coverage -->\n", "<!-- /coverage -->"


def importers() -> Mapping[str, object]:
    """Of this repository, by name."""
    return {one["name"]: load(one["target"]) for one in toml.read(MANIFEST)["providers"] if one["kind"] == "importer"}


def coverage() -> Iterator[str]:
    yield "<!-- Written by tools/import_page.py from the tables of keys: run it again after a change. -->\n"
    yield "| tool | version | keys | mapped | refused | without effect |\n|---|---|---|---|---|---|"
    found = {name: importer() for name, importer in importers().items()}
    tables = {name: read_table(importer.table) for name, importer in found.items()}
    for name, importer in found.items():
        counts = counted(importer)
        cells = (f"{tables[name].tool} (`{name}`)", tables[name].version, sum(counts.values()), *counts.values())
        yield f"| {' | '.join(map(str, cells))} |"
    yield "\nThe version is the one whose definitions a table was written by."
    yield "A refused key that asks for nothing (`use_badam: false`) is without effect."
    for table in tables.values():
        yield f"\n### {table.tool}: what is refused\n\n| keys | because | instead |\n|---|---|---|"
        yield from refused(table)


def refused(table: Table) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for key, rule in table.rules.items():
        if rule.kind == REFUSED:
            groups.setdefault((rule.because, rule.instead), []).append(f"`{key}`")
    yield from (f"| {', '.join(keys)} | {because} | {instead} |" for (because, instead), keys in groups.items())


def page(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n".join(coverage()) + "\n" + END + rest.partition(END)[2]


def main(words: list[str]) -> int:
    text = PAGE.read_text(encoding="utf-8")
    made = page(text)
    if "--check" in words:
        return int(made != text)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
