"""Whether what a plugin's records name is there, looked up in its source: importing it may need the plugin's runtime."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith.plugins.records import Plugin
from tunesmith.spelling import near


def missing(plugin: Plugin, root: Path) -> list[UserError]:
    """An error, TS-PLUGIN-008, for each name of the plugin's own package that is not there.

    Args:
        root: the folder that the package lies in.
    """
    return [
        UserError("TS-PLUGIN-008", f"{owner} names {target}: {why}", fix=fix)
        for owner, target in _named(plugin)
        for why, fix in _absent(root, plugin.module, target)
    ]


def missing_here(plugin: Plugin) -> list[UserError]:
    """The same for an installed plugin."""
    package = plugin.module.partition(":")[0].partition(".")[0]
    folder = next((folder for folder in plugin.path.parents if folder.name == package), None) if plugin.path else None
    return missing(plugin, folder.parent) if folder else []


def absent_of(plugin: Plugin) -> tuple[str, ...]:
    """What is missing of an installed plugin, a sentence each; read anew where its author works on it."""
    return tuple(error.what for error in missing_here(plugin)) if plugin.editable else plugin.absent


def _named(plugin: Plugin) -> Iterator[tuple[str, str]]:
    for record in plugin.providers:
        targets = (record.target, record.estimator, record.variants)
        yield from ((f"the {record.kind} `{record.name}`", target) for target in targets if target)
    for kind in plugin.kinds:
        yield from ((f"the kind `{kind.name}`", target) for target in (kind.contract, kind.checks) if target)
    yield from ((f"the command `{name}`", target) for name, _, target in plugin.commands)


def _absent(root: Path, plugin: str, target: str) -> Iterator[tuple[str, str]]:
    """Why a target is not there and what to do, if it is not."""
    module, _, name = target.partition(":")
    if module.partition(".")[0] != plugin.partition(":")[0].partition(".")[0]:
        return  # of another distribution
    path = root.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        text = path.read_text(encoding="utf-8")
        if not name:
            return  # a module
        defined = set() if _plainly(text, name) else set(_defined(text))
    except (SyntaxError, ValueError) as error:
        yield f"{path} is no Python: {error}", "Correct the file."
        return
    except OSError:
        beside = [file.stem for file in path.parent.glob("*.py")]
        package, dot, last = module.rpartition(".")
        yield f"there is no {path}", _correct([f"{package}{dot}{stem}:{name}" for stem in near(last, beside)])
        return
    if not _plainly(text, name) and name.partition(".")[0] not in defined:
        yield f"{path} defines no {name}", _correct([f"{module}:{found}" for found in near(name, defined)])


def _plainly(text: str, name: str) -> bool:
    """Whether a module defines a class or function at its top: seen without parsing it, as nearly always."""
    return bool(re.search(rf"^(?:class|def|async def) {re.escape(name.partition('.')[0])}\b", text, re.MULTILINE))


def _defined(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _correct(meant: list[str]) -> str:
    return f"Correct the record: did you mean `{meant[0]}`?" if meant else "Correct the record, or add what it names."
