"""`tunesmith plugin new` and `plugin update`: a plugin's source folder from the template."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from tunesmith_cli.api import Command

_LICENCES = "Apache-2.0, MIT, LicenseRef-Proprietary"


def configure_new(parser: ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", default="", metavar="KIND", help=f"what it brings: {', '.join(_kinds())} (hooks: event hooks alone)"
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="what users write to choose it, e.g. tilt")
    parser.add_argument("--to", type=Path, metavar="DIR", help="the new folder (default: one here with the distribution's name)")
    parser.add_argument("--distribution", default="", metavar="NAME", help="what one installs, e.g. acme-tilt (default: tunesmith-NAME)")
    parser.add_argument("--summary", default="", metavar="TEXT", help="what it does, in one line: its help")
    parser.add_argument("--author", default="", metavar="NAME", help="who writes it (default: git's user.name)")
    parser.add_argument("--licence", default="Apache-2.0", metavar="SPDX", help=f"{_LICENCES} (default: Apache-2.0)")
    parser.add_argument("--template", default="", metavar="REPO", help="not the SDK's template: a git repository with version tags")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_new(args: Namespace) -> int:
    from tunesmith.config import load_config
    from tunesmith.errors import UserError

    scaffold = _scaffold()
    if not args.kind and not args.name and sys.stdin.isatty() and sys.stdout.isatty():
        _ask(args)
    if not args.kind or not args.name:
        fix = f"Write `tunesmith plugin new KIND NAME`. Kinds: {', '.join(_kinds())}."
        raise UserError("TS-CLI-002", f"a new plugin needs {'a kind and ' * (not args.kind)}a name", fix=fix)
    wanted = scaffold.Wanted(args.kind, args.name, args.distribution, args.summary, args.author, args.licence).checked()
    folder = args.to or Path(wanted.distribution)
    files = scaffold.make(wanted, folder, cache=load_config().cache, template=args.template)
    if args.json:
        print(json.dumps({"folder": str(folder), "distribution": wanted.distribution, "files": [str(file) for file in files]}, indent=2))
        return 0
    what = "event hooks" if wanted.kind == "hooks" else wanted.kind.replace("_", " ")
    print(f"{folder}: the {what} `{wanted.name}` of {wanted.distribution}, small and working\n")
    print("\n".join(f"  {file}" for file in files))
    print(f"\nNow:\n  cd {folder}\n  pip install -e '.[runtime,test]'\n  tunesmith plugin check .\n  pytest")
    print("Then change what it does, run `tunesmith plugin sync .` and check again. Keep it in git: `tunesmith plugin update` needs that.")
    return 0


def _ask(args: Namespace) -> None:
    """What was not given. Enter takes what is in brackets."""
    from tunesmith.errors import did_you_mean

    kinds = list(_kinds())
    print("What does the plugin bring?\n" + "\n".join(f"  {number:2}  {kind.replace('_', ' ')}" for number, kind in enumerate(kinds, 1)))
    while not args.kind:
        said = input("Kind: ").strip().replace(" ", "_").replace("-", "_")
        if said.isdigit() and 0 < int(said) <= len(kinds):
            args.kind = kinds[int(said) - 1]
        elif said in kinds:
            args.kind = said
        elif said:
            print(did_you_mean(said, kinds))
    while not args.name:
        args.name = input("Name that users write to choose it: ").strip()
    args.distribution = input(f"Distribution that one installs [tunesmith-{args.name}]: ").strip() or args.distribution
    args.summary = input("What it does, in one line [what the template's does]: ").strip() or args.summary


def configure_update(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", nargs="?", default=Path(), help="the plugin's source folder (default: here)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_update(args: Namespace) -> int:
    from tunesmith.config import load_config

    before, after, conflicts = _scaffold().update(args.path, cache=load_config().cache)
    if args.json:
        print(json.dumps({"before": before, "after": after, "conflicts": conflicts}, indent=2))
    elif conflicts:
        print(f"{before} -> {after}; these files have conflicts to settle, between <<<<<<< and >>>>>>>:")
        print("\n".join(f"  {file}" for file in conflicts))
    elif before == after:
        print(f"nothing new: the plugin is at the template's {after}")
    else:
        print(f"{before} -> {after}; `git diff` shows what has changed. Run `tunesmith plugin check .` before you commit it.")
    return 1 if conflicts else 0


def _kinds() -> tuple[str, ...]:
    from tunesmith_sdk.templates import kinds

    return kinds()


def _scaffold() -> Any:
    """
    Raises:
        UserError: TS-PLUGIN-040 when what it needs is not installed.
    """
    import importlib

    from tunesmith.errors import UserError

    try:
        return importlib.import_module("tunesmith_sdk.scaffold")
    except ModuleNotFoundError as error:
        fix = "pip install 'tunesmith-sdk[scaffold]'"
        raise UserError("TS-PLUGIN-040", "making a plugin needs the SDK", why=f"There is no module {error.name}.", fix=fix) from None


NEW = Command(
    "new", "make a plugin: a source folder that works, to change from there", configure_new, run_new,
    (
        ("be asked for all of it", "tunesmith plugin new"),
        ("a tuner of your own, in ./tunesmith-tilt", "tunesmith plugin new adapter tilt"),
        ("to be told of runs and steps", "tunesmith plugin new hooks diary"),
        ("one that stays in the house", "tunesmith plugin new exporter card --distribution acme-card --licence LicenseRef-Proprietary"),
        ("from the company's own template", "tunesmith plugin new verb polish --template git+ssh://git.acme.example/plugin-template"),
    ),
)  # fmt: skip
UPDATE = Command(
    "update", "merge what the template has got since into a plugin made from it", configure_update, run_update,
    (("the plugin here", "tunesmith plugin update"),),
)  # fmt: skip
