"""`tunesmith runs why`: what came of a run in plain words, by stated rules, and what to try next."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from tunesmith_cli.api import Command, chosen_run, run_command, safe, safe_json, translated, wrap
from tunesmith_cli.api import gettext as _
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
            if view.row.state in _UNFINISHED:
                print(_("It was stopped before its end; to go on with it: {command}", command=f"tunesmith resume {view.row.id}") + "\n")
            print(safe("\n\n".join("\n".join(_lines(one)) for one in found) or translated(_NOTHING)))
    return 0


_UNFINISHED = ("interrupted", "cancelled")
_NOTHING = "No rule has anything to say of it: no loss that rises or stands still, no rows cut, no gate kept by chance."


def _lines(one: Finding) -> Iterator[str]:
    yield from wrap(f"{one.step + ': ' if one.step else ''}{translated(one.what)} [{one.rule}]", _WIDTH, "", "  ")
    for clause in one.evidence:
        yield from wrap(translated(clause), _WIDTH, "  - ", "    ")
    if one.fix:
        yield from wrap(translated(one.fix), _WIDTH, "  ", "  ")
    if one.command:
        yield f"    {translated(one.command)}"
    yield from wrap(f"{translated(one.text)} ({one.source})", _WIDTH, "  ", "    ")


COMMAND = Command(
    "why", "what came of a run in plain words, by stated rules, and what to try next", configure, run,
    (("the last run", "tunesmith runs why"), ("a certain one", "tunesmith runs why 20260131-0930")),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith runs why", arguments)
