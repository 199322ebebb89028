"""`tunesmith bench`: measure a server, compare two measurements."""

from __future__ import annotations

from collections.abc import Sequence

WORDS = ("run", "compare")


def main(arguments: Sequence[str]) -> int:
    """Run the subcommand that the first argument names. An address or a step without a command before it is measured."""
    from tunesmith_bench import SUMMARY
    from tunesmith_bench.commands import compare, run
    from tunesmith_cli.api import run_group

    named = bool(arguments) and arguments[0] not in (*WORDS, "-h", "--help")
    return run_group(SUMMARY, (run.COMMAND, compare.COMMAND), "tunesmith bench", ["run", *arguments] if named else arguments, "bench")
