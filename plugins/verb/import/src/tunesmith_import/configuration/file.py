"""A file -> a configuration, by what it is."""

from __future__ import annotations

from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_import.configuration.configuration import Configuration, Entry
from tunesmith_import.configuration.keys_file import entries_of, keys_of
from tunesmith_import.configuration.python_script import script_of
from tunesmith_import.configuration.shell_script import command_of

_MOST = 16 << 20  # bytes: a configuration is small, a notebook with pictures is not
_YAML = (".yaml", ".yml", ".json")
_KEYS_IN = ("config", "$1")  #: options of a command that name a file of keys


def read_configuration(path: Path) -> Configuration:
    """
    Raises:
        UserError: TS-IMPORT-001 when it can't be read, or is nothing that configures a training.
    """
    text = text_of(path)
    if path.suffix in (".py", ".ipynb"):
        return script_of(path, text)
    if path.suffix in _YAML:
        return keys_of(path, text)
    found = command_of(path, text)
    for name in _KEYS_IN:
        entry = found.entry(name)
        if entry and str(entry.value).endswith(_YAML):
            return _joined(found, entry)
    return found


def text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST:
            raise UserError("TS-IMPORT-001", f"{path} is larger than 16 MiB", fix="Name a configuration; of a notebook, clear the outputs.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("TS-IMPORT-001", f"{path} can't be read", why=f"{error}.", fix="Name a text file that is there.") from None


def _joined(command: Configuration, named: Entry) -> Configuration:
    """A command with the file of keys that it names: what the command says goes before."""
    beside = [folder / str(named.value) for folder in (Path(), command.path.parent)]
    path = next((path for path in beside if path.is_file()), None)
    if path is None:
        raise UserError(
            "TS-IMPORT-001", f"{command.path}:{named.line} names {named.value}, which is not there",
            fix="Put it beside the script, or name it alone: tunesmith import FILE.",
        )  # fmt: skip
    said = {entry.key: entry for entry in command.entries if entry is not named}
    keys = {entry.key: entry for entry in entries_of(path, text_of(path))}
    return Configuration(path, tuple({**keys, **said}.values()), "command", command.command, command.environment)
