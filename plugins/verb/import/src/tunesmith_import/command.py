"""`tunesmith import`: another tool's configuration becomes a pipeline."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import TunesmithError, UserError, together
from tunesmith_cli.api import Command, Session, file_argument, run_command, safe, safe_json, write_whole
from tunesmith_cli.api import gettext as _
from tunesmith_import import IMPORT

if TYPE_CHECKING:
    from tunesmith_import.mapping.account import Account


def configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "configuration",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="YAML, JSON, a shell script with the command, a Python script or notebook",
    )
    parser.add_argument("--from", dest="tool", default="", metavar="TOOL", help="whose it is, where the file doesn't tell (see --tools)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the pipeline's file to write (default: it is printed)")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument("--strict", action="store_true", help="write nothing where a key is refused")
    parser.add_argument("--allow-unknown", action="store_true", help="pass over keys that the tool doesn't have, and list them")
    parser.add_argument(
        "--tools", action="store_true", help="list the tools whose configurations are understood, and how many of their keys"
    )
    group = parser.add_argument_group("what the file doesn't say")
    group.add_argument("--method", default="", metavar="NAME", help="what is trained with, of a TRL file: sft, dpo, kto, reward, grpo ...")
    group.add_argument(
        "--num-processes", type=int, default=0, metavar="N", help="that the tool was started in: the batch is multiplied by it"
    )
    group.add_argument(
        "--rows", type=int, default=0, metavar="N", help="of the training data, by which warm-up steps become a share of all steps"
    )
    group.add_argument("--model", default="", metavar="URI", help="to start from another model than the file's")
    group.add_argument("--data", default="", metavar="FILE", help="the rows, in place of those that the file names")
    parser.add_argument("--json", action="store_true", help="print JSON: the pipeline, and each key with its verdict")


def run(args: Namespace) -> int:
    from tunesmith_import.api.contract import Options
    from tunesmith_import.configuration.file import read_configuration
    from tunesmith_import.importer_choice import choose_importer, importers
    from tunesmith_import.mapping.table import REFUSED
    from tunesmith_import.output import coverage, summary
    from tunesmith_import.output.pipeline_text import pipeline_text

    registry = Session.open().registry
    if args.tools:
        print(coverage.listing(importers(registry)))
        return 0
    if args.configuration is None:
        raise UserError("TS-CLI-002", "no FILE is named", fix="tunesmith import FILE; --tools lists whose files are understood.")
    _check_place(args)
    configuration = read_configuration(args.configuration)
    importer = choose_importer(registry, configuration, args.tool)
    folder = args.output.parent if args.output else Path()
    options = Options(args.method, args.num_processes, args.rows, args.model, args.data, configuration.path.parent, folder)
    draft, account = importer.translate(configuration, options)
    _refuse(account, args)
    refused = len(account.of(REFUSED))
    if args.output:
        write_whole(args.output, pipeline_text(draft, account))
    if args.json:
        print(safe_json(summary.to_json(draft, account), 2))
        return int(bool(refused))
    if not args.output:
        print(safe(pipeline_text(draft, account)), end="")
    print(safe(summary.page(draft, account)), file=sys.stdout if args.output else sys.stderr)
    if args.output:
        print(safe("\n" + _("{file} is written. Next: {command}", file=args.output, command=f"tunesmith plan{file_argument(args.output)}")))
    return int(bool(refused))


def _check_place(args: Namespace) -> None:
    if args.output and args.output.exists() and not args.force:
        raise UserError(
            "TS-IMPORT-006", f"{args.output} is there already", fix="Name another file with --output, or write over it: --force."
        )
    if args.output and not args.output.parent.is_dir():
        raise UserError("TS-IMPORT-006", f"there is no folder {args.output.parent}", fix="Make it, or name another file with --output.")


def _refuse(account: Account, args: Namespace) -> None:
    """
    Raises:
        UserError: TS-IMPORT-003 for keys that the tool doesn't have, TS-IMPORT-004 for refused ones with ``--strict``.
    """
    from tunesmith_import.mapping.table import REFUSED, UNKNOWN

    problems: list[TunesmithError] = []
    for verdict in () if args.allow_unknown and not args.strict else account.of(UNKNOWN):
        near = f"Did you mean `{verdict.instead}`? " if verdict.instead else ""
        what = f"{verdict.entry.file}:{verdict.entry.line}: {account.table.tool} {account.table.version} has no key `{verdict.entry.key}`"
        problems.append(UserError("TS-IMPORT-003", what, fix=f"{near}--allow-unknown passes over such keys."))
    for verdict in account.of(REFUSED) if args.strict else ():
        what = f"{verdict.entry.file}:{verdict.entry.line}: `{verdict.entry.key}` has no place in a pipeline"
        fix = f"{verdict.instead[:1].upper()}{verdict.instead[1:]}." if verdict.instead else "Leave it out, or import without --strict."
        problems.append(UserError("TS-IMPORT-004", what, why=f"{verdict.because}.", fix=fix))
    if problems:
        raise together(problems)


COMMAND = Command(
    "import", IMPORT, configure, run,
    (
        ("a LLaMA-Factory configuration", "tunesmith import llama3_lora_sft.yaml --output tunesmith.yaml"),
        ("a shell script that starts ms-swift", "tunesmith import train.sh"),
        ("a TRL configuration for DPO that ran on eight cards", "tunesmith import dpo.yaml --from trl --method dpo --num-processes 8"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith import", arguments)
