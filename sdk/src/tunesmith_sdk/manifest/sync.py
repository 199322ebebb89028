"""Writes manifests from code.

The only place, beside workers and event hooks, where a plugin's module is imported.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from tunesmith import hookspecs
from tunesmith.config import load_config
from tunesmith.contracts.provider import Kind, Provider
from tunesmith.errors import TunesmithError, UserError, did_you_mean, each, together
from tunesmith.plugins import GROUP, KERNEL
from tunesmith.plugins.missing_targets import missing
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import load_registry
from tunesmith.policy import normal
from tunesmith.spelling import near
from tunesmith_data.api import row_schema
from tunesmith_sdk.manifest.records import checked_kind, record_of
from tunesmith_sdk.manifest.source import Source, read_source
from tunesmith_sdk.manifest.text import manifest_of


@dataclass(frozen=True)
class Synced:
    """A manifest after syncing; `diff` is empty where it was up to date."""

    path: Path
    diff: str


def sync(folder: Path, *, check: bool = False) -> list[Synced]:
    """Write the manifests of the plugins in a source folder; with `check`, only say what would change.

    Raises:
        UserError: TS-PLUGIN-006 when the code is not a valid plugin, TS-PLUGIN-007 when the folder holds none, TS-PLUGIN-008 when a record
            names what is not there.
        Problems: of several, all.
    """
    done = []
    for source in read_source(folder):
        plugin = described(source)
        if absent := missing(plugin, source.root):
            raise together(absent)
        text = manifest_of(plugin)
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
        Problems: of several faults, all.
    """
    manager = hookspecs.plugin_manager()
    found: list[TunesmithError] = []
    known: dict[str, tuple[Kind, str]] = {}
    installed = _installed_kinds(source)  # asked for before the source is on sys.path, where discovery would begin anew
    with _imported(source) as plugin:
        try:
            manager.register(plugin, source.module)
            own = tuple(_kinds(source, manager, found))
            known = {kind.name: (kind, "") for kind in own} | installed
            hookspecs.add_kinds(manager, known)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise _invalid(source, manager, plugin, error, known) from None
        callers = [caller.name for caller in manager.get_hookcallers(plugin) or ()]
        kinds = [kind for kind in (*hookspecs.REGISTRATION, *known) if kind in callers]
        providers = tuple(record for kind in kinds for record in _records(source, manager, kind, found, *known.get(kind, (None, ""))))
        commands = _commands(source, manager, found) if "cli_commands" in callers else ()
        unmarked = not callers and any(callable(value) for value in vars(plugin).values())
    names = Counter((record.kind, record.name) for record in providers)
    for (kind, name), times in names.items():
        if times > 1:
            what = f"{source.module} brings the {kind} `{name}` {'twice' if times == 2 else f'{times} times'}"
            found.append(UserError("TS-PLUGIN-006", what, fix="Give each its own name."))
    if unmarked:  # one with nothing in it is a library that other plugins stand on
        found.append(UserError("TS-PLUGIN-006", f"{source.module} implements no hook", fix="Mark its functions with `hookimpl`."))
    if found:
        raise together(found)
    events = tuple(name for name in hookspecs.EVENTS if name in callers)
    return Plugin(
        source.distribution, source.version, source.module, providers, own, events, commands, source.runtime, source.environment_spec,
        error_pages=source.error_pages,
    )  # fmt: skip


def _kinds(source: Source, manager: pluggy.PluginManager, found: list[TunesmithError]) -> Iterator[Kind]:
    """The kinds that a plugin brings; what is wrong with the others is put into `found`."""
    for kind in _called(source, manager, "kind", found):
        try:
            yield checked_kind(kind)
        except TunesmithError as error:
            found += [UserError(one.code, f"{source.module}: {one.what}", fix=one.fix) for one in each(error)]


def _installed_kinds(source: Source) -> dict[str, tuple[Kind, str]]:
    """The kinds that other installed plugins bring, each with the distribution that does."""
    registry = load_registry(load_config())
    found = {name: (kind, registry.bringer(name).distribution) for name, kind in registry.kinds.items()}
    return {name: one for name, one in found.items() if normal(one[1]) != normal(source.distribution)}


def _records(
    source: Source, manager: pluggy.PluginManager, kind: str, found: list[TunesmithError], brought: Kind | None, bringer: str
) -> Iterator[ProviderRecord]:
    """The records of a kind; what is wrong with the others is put into `found`."""
    for provider in _called(source, manager, kind, found):
        try:
            record = record_of(kind, provider, source.distribution, source.version, brought=brought, bringer=bringer)
            if record.facts.get("row"):
                row_schema(record)
            yield record
        except TunesmithError as error:
            found += [UserError(one.code, f"{source.module}: {one.what}", why=one.why, fix=one.fix) for one in each(error)]


def _commands(source: Source, manager: pluggy.PluginManager, found: list[TunesmithError]) -> tuple[tuple[str, str, str], ...]:
    commands = [tuple(command) for command in _called(source, manager, "cli_commands", found)]
    odd = [command for command in commands if len(command) != 3 or not all(isinstance(part, str) for part in command)]
    found += [
        UserError("TS-PLUGIN-006", f"{source.module}: its hook `cli_commands` returned {command!r}", fix="Return (name, summary, target).")
        for command in odd
    ]
    return tuple(commands)  # type: ignore[arg-type]


def _called(source: Source, manager: pluggy.PluginManager, hook: str, found: list[TunesmithError]) -> list[Any]:
    try:
        answers = getattr(manager.hook, hook)()
    except TunesmithError as error:
        found += each(error)
        return []
    except Exception as error:
        found.append(UserError("TS-PLUGIN-006", f"{source.module}: its hook `{hook}` raised {type(error).__name__}: {error}",
                               fix="Make the hook return records and do nothing else."))  # fmt: skip
        return []
    return [item for answer in answers for item in ([answer] if isinstance(answer, (Provider, Kind, str)) else answer)]


def _invalid(source: Source, manager: pluggy.PluginManager, plugin: Any, error: Exception, kinds: Iterable[str]) -> UserError:
    known = (*hookspecs.REGISTRATION, *kinds, *hookspecs.EVENTS, "kind", "cli_commands", "ui_pages")
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options and (options.get("specname") or name) not in known:
            fix = f"{did_you_mean(name, known)} If it is a kind that a plugin brings, install that plugin first."
            return UserError("TS-PLUGIN-006", f"{source.module}: there is no hook `{name}`", fix=fix)
    return UserError("TS-PLUGIN-006", f"{source.module}: {' '.join(str(error).split())}",
                     fix="docs/hooks.md has every hook with its arguments; leave out those that you have no use for.")  # fmt: skip


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
        raise _unimportable(source, module, error) from error


def _unimportable(source: Source, module: str, error: Exception) -> UserError:
    """Why a plugin can't be imported, and who can fix that."""
    absent = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    where = f'Correct the entry point below [project.entry-points."{GROUP}"] in {source.folder / "pyproject.toml"}'
    if absent and f"{module}.".startswith(f"{absent}."):  # itself, or a package that it lies in
        beside = [".".join((*module.split(".")[:-1], file.stem)) for file in source.file.parent.glob("*.py") if file.stem != "__init__"]
        meant = near(module, beside)
        offer = f": did you mean `{meant[0]}`?" if meant else f", or write {source.file}."
        return UserError("TS-PLUGIN-006", f"the entry point names {source.module}, and there is no module {absent}", fix=where + offer)
    if isinstance(error, AttributeError) and source.module.endswith(f":{error.name}"):
        return UserError("TS-PLUGIN-006", f"the entry point names {source.module}, and {module} has no `{error.name}`", fix=f"{where}.")
    what = f"{source.module} can't be imported: {type(error).__name__}: {error}"
    if absent.partition(".")[0] == source.package:
        return UserError("TS-PLUGIN-006", what, fix=f"Correct the import: the package has no module {absent}.")
    fix = "Import heavy libraries inside functions: a plugin's module needs nothing but tunesmith and the standard library."
    if absent and source.dependencies:
        fix += f" What it does need must be installed: pip install -e {source.folder}"
    return UserError("TS-PLUGIN-006", what, fix=fix)
