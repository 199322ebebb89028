"""YAML and JSON -> a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError, UserError, together
from tunesmith.planning.pipeline.yaml_lines import load_lines
from tunesmith_import.configuration.configuration import Configuration, Entry, flat


def keys_of(path: Path, text: str) -> Configuration:
    """
    Raises:
        UserError: TS-IMPORT-001 when it holds no keys, TS-SPEC-002 to TS-SPEC-005 for what is no YAML.
    """
    entries = entries_of(path, text)
    if not entries:
        raise UserError(
            "TS-IMPORT-001", f"{path} holds no keys", fix="Name a configuration: a YAML or JSON file, a shell script, a Python script."
        )
    return Configuration(path, entries)


def entries_of(path: Path, text: str) -> tuple[Entry, ...]:
    document, lines = document_of(path, text)
    return tuple(flat(document, lines, path.name))


def document_of(path: Path, text: str) -> tuple[Mapping[str, Any], Mapping[tuple[Any, ...], int]]:
    """The mapping in a file, with the line of each path. JSON is YAML, tabs aside."""
    document, lines, problems = load_lines(text.replace("\t", " "), path.name)
    if problems:
        raise together([*_told(problems)])
    if not isinstance(document, Mapping):
        raise UserError("TS-IMPORT-001", f"{path} holds no mapping of keys to values", fix="Name a tool's configuration.")
    return document, lines


def _told(problems: Any) -> list[TunesmithError]:
    return list(problems)
