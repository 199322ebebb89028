"""`tunesmith runs why`: what came of a run in plain words, by stated rules, and what to try next."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from tunesmith_cli.api import Command, chosen_run, run_command, safe, safe_json
from tunesmith_recommend.diagnosis.finding import Finding

_WIDTH = 120


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of a run, or its beginning (default: the last one)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_recommend.diagnosis.diagnosis import findings

    with chosen_run(args.run) as view:
        found = findings(view)
        if args.json:
            print(safe_json({"run": view.row.id, "findings": [one.to_json() for one in found]}, 2))
        else:
            print(safe(f"{view.row.id}  {view.row.pipeline}  {view.row.state}\n"))
            print(safe("\n\n".join("\n".join(_lines(one)) for one in found) or _NOTHING))
    return 0


_NOTHING = "No rule has anything to say of it: no loss that rises or stands still, no rows cut, no gate kept by chance."


def _lines(one: Finding) -> Iterator[str]:
    yield from _wrapped(f"{one.step + ': ' if one.step else ''}{one.what} [{one.rule}]", "", "  ")
    for clause in one.evidence:
        yield from _wrapped(clause, "  - ", "    ")
    if one.fix:
        yield from _wrapped(one.fix, "  ", "  ")
    if one.command:
        yield f"    {one.command}"
    yield from _wrapped(f"rule: {one.text} ({one.source})", "  ", "    ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)


COMMAND = Command(
    "why", "what came of a run in plain words, by stated rules, and what to try next", configure, run,
    (("the last run", "tunesmith runs why"), ("a certain one", "tunesmith runs why 20260131-0930")),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith runs why", arguments)
