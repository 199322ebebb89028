"""Writes manifests from code: `tunesmith plugin sync [PATH...] [--check]`.

The only place, beside workers and event hooks, where a plugin's module is imported.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from tunesmith import hookspecs
from tunesmith.contracts.provider import Provider
from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith.plugins import KERNEL
from tunesmith.plugins.convert import record_of
from tunesmith.plugins.manifest import manifest_of
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.source import Source, read_source


@dataclass(frozen=True)
class Synced:
    """A manifest after syncing; `diff` is empty where it was up to date."""

    path: Path
    diff: str


def sync(folder: Path, *, check: bool = False) -> list[Synced]:
    """Write the manifests of the plugins in a source folder; with `check`, only say what would change.

    Raises:
        UserError: TS-PLUGIN-006 when the code is not a valid plugin, TS-PLUGIN-007 when the folder holds none.
    """
    done = []
    for source in read_source(folder):
        text = manifest_of(described(source))
        path = source.manifest
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), f"{path} (written)", f"{path} (code)", lineterm="")
        if not check and old != text:
            path.write_text(text, encoding="utf-8", newline="\n")
        done.append(Synced(path, "\n".join(lines)))
    return done


def manifest_text(module_name: str) -> str:
    """The manifest of a plugin module that lies in a source folder and can be imported."""
    spec = importlib.util.find_spec(module_name.partition(":")[0])
    if spec is None or not spec.origin:
        raise UserError("TS-PLUGIN-006", f"there is no module {module_name}", fix="Install the plugin, or sync its source folder.")
    for folder in Path(spec.origin).parents:
        if (folder / "pyproject.toml").exists():
            return manifest_of(next(described(s) for s in read_source(folder) if s.module.startswith(module_name)))
    raise UserError("TS-PLUGIN-007", f"{module_name} lies in no source folder", fix="Give the folder that has its pyproject.toml.")


def described(source: Source) -> Plugin:
    """What the code of a plugin says of itself; imports it.

    Raises:
        UserError: TS-PLUGIN-006 saying what is wrong with it.
    """
    manager = hookspecs.plugin_manager()
    with _imported(source) as plugin:
        try:
            manager.register(plugin, source.module)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise _invalid(source, manager, plugin, error) from None
        callers = [caller.name for caller in manager.get_hookcallers(plugin) or ()]
        providers = tuple(record for kind in hookspecs.REGISTRATION if kind in callers for record in _records(source, manager, kind))
        commands = tuple(tuple(command) for command in _called(source, manager, "cli_commands")) if "cli_commands" in callers else ()
    names = [(record.kind, record.name) for record in providers]
    for kind, name in names:
        if names.count((kind, name)) > 1:
            raise UserError("TS-PLUGIN-006", f"{source.module} brings the {kind} `{name}` twice", fix="Give each its own name.")
    if not callers:
        raise UserError("TS-PLUGIN-006", f"{source.module} implements no hook", fix="Mark its functions with `hookimpl`.")
    events = tuple(name for name in hookspecs.EVENTS if name in callers)
    return Plugin(source.distribution, source.version, source.module, providers, events, commands, source.runtime, source.surroundings)  # type: ignore[arg-type]


def _records(source: Source, manager: pluggy.PluginManager, kind: str) -> Iterator[ProviderRecord]:
    for provider in _called(source, manager, kind):
        try:
            yield record_of(kind, provider, source.distribution, source.version)
        except UserError as error:
            raise UserError(error.code, f"{source.module}: {error.what}", why=error.why, fix=error.fix) from None


def _called(source: Source, manager: pluggy.PluginManager, hook: str) -> list[Any]:
    try:
        answers = getattr(manager.hook, hook)()
    except UserError:
        raise
    except Exception as error:
        raise UserError("TS-PLUGIN-006", f"{source.module}: its hook `{hook}` raised {type(error).__name__}: {error}",
                        fix="Make the hook return records and do nothing else.") from error  # fmt: skip
    return [item for answer in answers for item in ([answer] if isinstance(answer, Provider) else answer)]


def _invalid(source: Source, manager: pluggy.PluginManager, plugin: Any, error: Exception) -> UserError:
    known = (*hookspecs.REGISTRATION, *hookspecs.EVENTS, "cli_commands", "ui_pages")
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options and (options.get("specname") or name) not in known:
            return UserError("TS-PLUGIN-006", f"{source.module}: there is no hook `{name}`", fix=did_you_mean(name, known))
    return UserError("TS-PLUGIN-006", f"{source.module}: {' '.join(str(error).split())}", fix="See tunesmith.hookspecs for the signature.")


@contextlib.contextmanager
def _imported(source: Source) -> Iterator[Any]:
    """The plugin's module (or object), imported from the source folder whatever else is installed; the modules are put back after."""
    module, _, attribute = source.module.partition(":")
    mine = (lambda name: False) if source.distribution == KERNEL else (lambda name: name.partition(".")[0] == source.package)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if mine(name)}
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(source.root))
    importlib.invalidate_caches()
    try:
        yield _import(source, module, attribute)
    finally:
        sys.path.remove(str(source.root))
        sys.dont_write_bytecode = bytecode
        for name in [name for name in sys.modules if mine(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def _import(source: Source, module: str, attribute: str) -> Any:
    try:
        plugin = importlib.import_module(module)
        return getattr(plugin, attribute) if attribute else plugin
    except Exception as error:
        what = f"{source.module} can't be imported: {type(error).__name__}: {error}"
        fix = "Import heavy libraries inside functions: a plugin's module needs nothing but tunesmith and the standard library."
        if isinstance(error, ModuleNotFoundError) and source.dependencies:
            fix += f" What it does need must be installed: pip install -e {source.folder}"
        raise UserError("TS-PLUGIN-006", what, fix=fix) from error


def main(arguments: list[str] | None = None) -> int:
    """`python -m tunesmith.plugins.sync`: the same as `tunesmith plugin sync`."""
    import argparse

    from tunesmith.cli.plugin_commands import COMMANDS

    command = next(command for command in COMMANDS if command.name == "sync")
    parser = argparse.ArgumentParser(prog="tunesmith plugin sync", description=command.summary)
    command.configure(parser)
    try:
        return command.run(parser.parse_args(arguments))
    except TunesmithError as error:
        for problem in getattr(error, "problems", (error,)):
            print(f"{problem.code}: {problem.what}\n  {problem.fix}", file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    raise SystemExit(main())
