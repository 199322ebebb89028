"""`tunesmith env ...`: the environments of plugins that can't share this one."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import Command, columns, duration, size, translated, typed
from tunesmith_cli.api import gettext as _

if TYPE_CHECKING:
    from pathlib import Path

    from tunesmith_environments.environment import Environment

UNUSED = 30.0  # days after which `gc` takes an environment for forgotten
OK, CHANGED, INCOMPLETE = "ok", "changed", "not complete"


def _json_option(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _directory() -> Path:
    from tunesmith.config import load_config

    config = load_config()
    config.check()
    return config.environments.directory


# --- list ----------------------------------------------------------------------------------------------------------------------------


def run_list(args: Namespace) -> int:
    from tunesmith_environments import environment

    directory = _directory()
    built = environment.built(directory)
    half = [path for path in environment.folders(directory) if path.name not in {found.key for found in built}]
    if args.json:
        listed = [_facts(found) for found in built] + [{"key": path.name, "path": str(path), "state": INCOMPLETE} for path in half]
        print(json.dumps(listed, indent=2))
        return 0
    if not built and not half:
        print(_(
            "There are no environments in {directory}. They are made when a pipeline needs them, or by `tunesmith env build`.",
            directory=directory,
        ))  # fmt: skip
        return 0
    rows = [(_("KEY"), _("PLUGINS"), "PYTHON", _("PACKAGES"), _("SIZE"), _("OF ITS OWN"), _("LAST USED"), _("STATE"))]
    for found in built:
        sizes = (size(found.size), size(found.size - found.shared))
        count, used = str(len(found.packages)), _ago(found.last_used)
        rows.append((found.key[:8], _short(found.plugins), found.version, count, *sizes, used, translated(_state(found))))
    rows += [(path.name[:8], "", "", "", "", "", "", translated(INCOMPLETE)) for path in half]
    print(columns(rows))
    total, own = sum(found.size for found in built), sum(found.size - found.shared for found in built)
    told = {"count": len(built), "directory": directory, "size": size(total), "shared": size(total - own)}
    print(_("{count} in {directory}: {size}, of which {shared} are shared with the installer's cache or each other", **told))
    return 0


def _state(found: Environment) -> str:
    from tunesmith_environments import snapshot

    return OK if snapshot.unchanged(found.path) else CHANGED


def _facts(found: Environment) -> dict[str, Any]:
    facts = {name: value for name, value in found.to_json().items() if name != "marker"}
    return facts | {"path": str(found.path), "python": found.python, "last_used": found.last_used, "state": _state(found)}


def _short(plugins: tuple[str, ...]) -> str:
    names = [name.removeprefix("tunesmith-") for name in plugins if name != "tunesmith-core"] or list(plugins)
    return ", ".join(names[:4]) + (_(" and {count} more", count=len(names) - 4) if len(names) > 4 else "")


def _ago(at: float) -> str:
    seconds = max(0.0, time.time() - at)
    if seconds < 86400:
        return _("{time} ago", time=duration(seconds))
    return _("{days} days ago", days=f"{seconds / 86400:.0f}")


# --- show and path -------------------------------------------------------------------------------------------------------------------


def _configure_one(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="KEY|PLUGIN", help="an environment's key or its beginning, or a plugin that has used it")
    _json_option(parser)


def find(directory: Path, name: str) -> list[Environment]:
    """The environments that a name means: by the beginning of their key, or by a plugin with or without its prefix; last used first.

    Raises:
        UserError: TS-ENV-014 when there is none.
    """
    from tunesmith.errors import UserError, did_you_mean
    from tunesmith.policy import normal
    from tunesmith_environments import environment

    built = environment.built(directory)
    wanted = normal(name)
    names = {found.key: {normal(plugin).removeprefix(part) for plugin in found.plugins for part in ("", "tunesmith-")} for found in built}
    chosen = [found for found in built if wanted in names[found.key]]
    chosen = chosen or [found for found in built if found.key.startswith(name.lower())]
    if not chosen:
        why = did_you_mean(wanted, {word for words in names.values() for word in words} | {key[:8] for key in names})
        fix = f"`tunesmith env list` shows all; a plugin's is made by `tunesmith env build {name}`."
        raise UserError("TS-ENV-014", f"there is no environment `{name}` in {directory}", why=why, fix=fix)
    return chosen


def run_show(args: Namespace) -> int:
    from tunesmith_environments.disk_usage import measure

    found = find(_directory(), args.name)
    if args.json:
        print(json.dumps([_facts(one) for one in found], indent=2))
        return 0
    for one in found:
        total, shared = measure(one.path)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created))
        facts = [
            (_("key"), one.key), (_("path"), str(one.path)), (_("state"), translated(_state(one))), ("python", one.version),
            (_("for"), one.accelerator), (_("plugins"), ", ".join(one.plugins)), (_("asked for"), ", ".join(one.requirements)),
            (_("size"), _("{size}, of which {own} are its own", size=size(total), own=size(total - shared))),
            (_("built"), _("{when} in {time} by {builder}", when=when, time=duration(one.seconds), builder=one.made_by)),
            (_("last used"), _ago(one.last_used)), *one.facts.items(),
        ]  # fmt: skip
        print(columns([fact for fact in facts if fact[1]]))
        print("\n" + columns([(_("PACKAGE"), _("VERSION")), *one.packages.items()]) + "\n")
    return 0


def run_path(args: Namespace) -> int:
    found = find(_directory(), args.name)[0]
    print(json.dumps({"python": found.python, "path": str(found.path)}) if args.json else found.python)
    return 0


# --- check and gc --------------------------------------------------------------------------------------------------------------------


def configure_check(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="KEY|PLUGIN", help="which (default: all)")
    _json_option(parser)


def run_check(args: Namespace) -> int:
    from tunesmith_environments import environment
    from tunesmith_environments.manager import Environments

    directory = _directory()
    chosen = [one for name in args.names for one in find(directory, name)] if args.names else environment.built(directory)
    environments = Environments(directory)
    wrong = {one.key: (one, environments.verify(one)) for one in chosen}
    if args.json:
        print(json.dumps([{"key": key, "plugins": one.plugins, "damage": found} for key, (one, found) in wrong.items()], indent=2))
    else:
        for key, (one, found) in wrong.items():
            print(f"{key[:8]}  {_short(one.plugins)}: {_('DAMAGED, the next use builds it anew') if found else translated(OK)}")
            print("".join(f"    {translated(sentence)}\n" for sentence in found[:10]), end="")
        if not wrong:
            print(_("There are no environments in {directory}.", directory=directory))
    return 1 if any(found for _one, found in wrong.values()) else 0


def configure_gc(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--unused",
        type=typed({"type": "number", "minimum": 0}),
        default=UNUSED,
        metavar="DAYS",
        help=f"not used for so long (default: {UNUSED:.0f})",
    )
    parser.add_argument("--all", action="store_true", help="all of them")
    parser.add_argument("--dry-run", action="store_true", help="delete nothing, show what would be")
    _json_option(parser)


def run_gc(args: Namespace) -> int:
    from tunesmith_environments.garbage_collection import collect

    found = collect(_directory(), args.unused, everything=args.all, dry_run=args.dry_run)
    if args.json:
        listed = [{"key": one.path.name, "reason": one.reason, "frees": one.frees, "kept": one.kept} for one in found]
        print(json.dumps({"deleted": not args.dry_run, "environments": listed}, indent=2))
        return 0
    verb = _("would go") if args.dry_run else _("deleted")
    for one in found:
        what = _("kept, {why}", why=translated(one.kept)) if one.kept else verb
        print(f"{one.path.name[:8]}  {what}: {translated(one.reason)} ({size(one.frees)})")
    freed = size(sum(one.frees for one in found if not one.kept))
    told = _("{size} would be free again.", size=freed) if args.dry_run else _("{size} are free again.", size=freed)
    print(told if found else _("Nothing to delete."))
    return 0


COMMANDS = (
    Command("list", "all environments with their sizes and last use", _json_option, run_list, (("what is there", "tunesmith env list"),)),
    Command(
        "show", "what is in one", _configure_one, run_show,
        (("by the beginning of its key", "tunesmith env show 3f9a"), ("a plugin's", "tunesmith env show acme-engine")),
    ),
    Command(
        "path", "the Python of a plugin's environment, for scripts", _configure_one, run_path,
        (("what a library's version is there", "$(tunesmith env path acme-engine) -c 'import acme; print(acme.__version__)'"),),
    ),
    Command(
        "check", "look at every file of them; what is damaged is built anew at its next use", configure_check, run_check,
        (("all of them", "tunesmith env check"),),
    ),
    Command(
        "gc", "delete what is damaged, half-built, outdated or unused for long", configure_gc, run_gc,
        (("what would go", "tunesmith env gc --dry-run"), ("what the last week did not need", "tunesmith env gc --unused 7")),
    ),
)  # fmt: skip
