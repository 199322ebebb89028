"""`tunesmith plugin sync`: manifests from code."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tunesmith_cli.api import Command


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="source folders (default: every plugin at or below here)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 and show the difference if a manifest has drifted")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith.errors import Problems, TunesmithError, UserError
    from tunesmith_sdk.manifest.source import find_sources
    from tunesmith_sdk.manifest.sync import sync

    folders = list(args.paths) or list(find_sources(Path.cwd()))
    if not folders:
        raise UserError("TS-PLUGIN-007", f"no plugin's source lies in {Path.cwd()}", fix="Name the source folder of a plugin.")
    done, problems = [], []
    for folder in folders:
        try:
            done += sync(folder, check=args.check)
        except TunesmithError as error:
            problems.append(error)
    drifted = [manifest for manifest in done if manifest.diff]
    if args.json:
        print(json.dumps([{"path": str(m.path), "changed": bool(m.diff), "diff": m.diff} for m in done], indent=2))
    elif args.check:
        for manifest in drifted:
            print(manifest.diff)
        if drifted:
            what = f"{len(drifted)} of {len(done)} manifests differ from the code"
            print(f"TS-PLUGIN-005: {what}. Run `tunesmith plugin sync`.", file=sys.stderr)
    else:
        for manifest in done:
            print(f"{'written' if manifest.diff else 'up to date'}  {manifest.path}")
    if problems:
        raise Problems(problems)
    return 1 if args.check and drifted else 0


SYNC = Command(
    "sync", "write plugin.toml from a plugin's code", configure, run,
    (("the plugin here, and those below", "tunesmith plugin sync"), ("in CI: fail where one has drifted", "tunesmith plugin sync --check")),
)  # fmt: skip
