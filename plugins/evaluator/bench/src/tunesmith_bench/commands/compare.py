"""`tunesmith bench compare`: what differs between two measurements, and what only seems to."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tunesmith_cli.api import Command, columns, safe, safe_json, translated
from tunesmith_cli.api import gettext as _


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("one", type=Path, metavar="A.json", help="a measurement, from --save")
    parser.add_argument("other", type=Path, metavar="B.json", help="another of the same loads")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(args: Namespace) -> int:
    from tunesmith_bench.results.comparison import compare, reservations, summary, to_json
    from tunesmith_bench.results.result_file import read_measurement
    from tunesmith_bench.results.table import comparison_rows

    one, other = read_measurement(args.one), read_measurement(args.other)
    rows, doubts = compare(one, other), reservations(one, other)
    if args.json:
        print(safe_json(to_json(rows, doubts), 2))
        return 0
    if rows:
        print(columns(comparison_rows(rows)))
    note = _("Intervals hold one by one; verdicts are corrected for the number of figures (Holm).")
    print(safe(f"\n{translated(summary(rows))}. {note}"))
    for doubt in doubts:
        print(safe("  " + _("mind: {doubt}", doubt=translated(doubt))))
    return 0


COMMAND = Command(
    "compare", "which differences two measurements show", configure, run,
    (("two versions of a server", "tunesmith bench compare before.json after.json"),),
)  # fmt: skip
