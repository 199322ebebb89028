"""`tunesmith estimate` against real runs: the peak of the worker's memory, on this machine's processor.

    python benchmarks/estimates [NUMBER ...] [--again] [--folder DIR]

Runs the cases of cases.py that were not measured yet (with --again all, or those whose numbers are given), each in a home and a process
tree of its own, and writes the table in docs/estimates.md. What was measured is kept in the folder.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import CASES, Case
from measure import TUNESMITH, limits, measured
from models import model
from rows import write_rows

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE, MARKS = ROOT / "docs" / "estimates.md", ("<!-- measured -->", "<!-- /measured -->")
CLOSE = 0.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="of cases, from 0 (default: all)")
    parser.add_argument("--again", action="store_true", help="also what was measured before")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "estimates", help="for models and what was measured")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    kept = args.folder / "peaks.json"
    peaks: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    for number, case in enumerate(CASES):
        if (not args.numbers or number in args.numbers) and (args.again or case.name not in peaks):
            peaks[case.name] = run(case, args.folder)
            kept.write_text(json.dumps(peaks, indent=1))
            print(f"{number:3}  {peaks[case.name] / 1e6:7.0f} MB  {case.name}", flush=True)
    table = "\n".join(lines([(case, estimated(case, args.folder), peaks[case.name]) for case in CASES if case.name in peaks]))
    print(table)
    before, _, rest = PAGE.read_text("utf-8").partition(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}", "utf-8")


def run(case: Case, folder: Path) -> int:
    """Bytes at the peak of a real run."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        directory = model(case.model, folder)
        return measured(case, directory, write_rows(case, directory / "tokenizer.json", Path(place) / "rows.jsonl"), Path(place))


def estimated(case: Case, folder: Path) -> dict[str, Any]:
    """What `tunesmith estimate` says of the same, given nothing but the configuration."""
    config = model(case.model, folder) / "config.json"
    words = [*case.words, *limits(case), "--model", str(config), "--json"]
    if case.reads_rows:
        words += ["--rows", str(case.rows), "--length", str(case.tokens)]
    told = subprocess.run([*TUNESMITH, "estimate", *words], capture_output=True, text=True, check=True).stdout
    return json.loads(told)["estimates"][0]


def lines(rows: list[tuple[Case, dict[str, Any], int]]) -> list[str]:
    """A table in Markdown."""
    off = [said["memory"] / peak - 1 for _, said, peak in rows]
    near = sum(abs(error) <= CLOSE for error in off)
    head = (
        f"{near} of {len(rows)} within {CLOSE:.0%}; on average {sum(map(abs, off)) / len(off):.1%} off, at most {max(map(abs, off)):.1%}. "
        f"Python {platform.python_version()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}, one thread."
    )
    found = [head, "", "| command | model | rows | options | estimate, MB | peak, MB | off |", "|---|---|---|---|---|---|---|"]
    for (case, said, peak), error in zip(rows, off, strict=True):
        options = " ".join(case.words[len(case.verb.split()) :])
        mark = "" if abs(error) <= CLOSE else " (!)"
        rows_of = f"{case.rows} x {case.tokens}" if case.reads_rows else ""
        found.append(
            f"| {case.verb} | {case.model} | {rows_of} | {f'`{options}`' if options else ''} "
            f"| {said['memory'] / 1e6:.0f} | {peak / 1e6:.0f} | {error:+.1%}{mark} |"
        )
    return found


if __name__ == "__main__":
    main()
