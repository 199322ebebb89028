"""A plugin's manifest, `plugin.toml`: records <-> text. Reading it imports nothing of the plugin's (law L2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.provider import Input, Kind, Need, Slot
from tunesmith.errors import UserError
from tunesmith.plugins.records import Plugin, ProviderRecord, Surroundings

FILE = "plugin.toml"
_PARTS = {"needs": Need, "slots": Slot, "inputs": Input}
_NESTED = {"settings", "schema", "capabilities", "limits", "facts"}
_NO_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def manifest_of(plugin: Plugin) -> str:
    """The manifest's text: the same records give the same text, byte for byte."""
    from tunesmith import toml
    from tunesmith.plugins.manifest_schema import VERSION

    data: dict[str, Any] = {"manifest": VERSION, "distribution": plugin.distribution, "version": plugin.version, "module": plugin.module}
    data |= {"runtime": list(plugin.runtime), "events": list(plugin.events)}
    data["environment"] = {key: value for key, value in _said(plugin.surroundings).items() if value}
    data["errors"] = dict(plugin.error_pages)
    data["commands"] = [dict(zip(("name", "summary", "target"), command, strict=True)) for command in plugin.commands]
    data["kinds"] = [_said(kind) for kind in plugin.kinds]
    data["providers"] = [_record_data(record) for record in plugin.providers]
    head = "# Written by `tunesmith plugin sync` from the plugin's code: change that, then sync again.\n"
    return head + toml.dumps({key: value for key, value in data.items() if value not in ([], "", {})})


def read_data(path: Path) -> dict[str, Any]:
    """The manifest as plain data, checked: what the discovery cache keeps.

    Raises:
        UserError: TS-PLUGIN-004 when there is none, it is no TOML, or it doesn't say what a manifest must.
    """
    from tunesmith import toml
    from tunesmith.contracts.settings import problems
    from tunesmith.plugins.manifest_schema import SCHEMA, VERSION

    fix = "Run `tunesmith plugin sync` in the plugin's source folder, and see that its wheel contains the file."
    try:
        data = toml.read(path)
    except OSError as error:
        raise UserError("TS-PLUGIN-004", f"{path} can't be read", why=error.strerror or str(error), fix=fix) from None
    except ValueError as error:
        raise UserError("TS-PLUGIN-004", f"{path} is not valid TOML", why=str(error), fix=fix) from None
    newer = data.get("manifest")
    if isinstance(newer, int) and newer > VERSION:
        why = f"this kernel reads layouts up to {VERSION}"
        raise UserError("TS-PLUGIN-004", f"{path} has layout {newer}", why=why, fix="Install a newer tunesmith.")
    found = [f"`{where}` {sentence}" for where, sentence in problems(SCHEMA, data)]
    if found:
        raise UserError("TS-PLUGIN-004", f"{path} is no plugin manifest: {'; '.join(found[:5])}", fix=fix)
    return data


def read_manifest(path: Path) -> Plugin:
    """The plugin that the manifest at `path` describes.

    Raises:
        UserError: TS-PLUGIN-004 (see `read_data`).
    """
    return plugin_of(read_data(path), path)


def plugin_of(data: Mapping[str, Any], path: Path | None, distribution: str = "", version: str = "", **more: Any) -> Plugin:
    """The plugin of checked manifest data; `distribution` and `version` are what is installed, which counts more than what is written."""
    distribution, version = distribution or data["distribution"], version or data.get("version", "")
    return Plugin(
        distribution,
        version,
        data["module"],
        tuple(record_of_data(entry, distribution, version) for entry in data.get("providers", ())),
        kinds=tuple(_part(Kind, entry) for entry in data.get("kinds", ())),
        events=tuple(data.get("events", ())),
        commands=tuple((c["name"], c["summary"], c["target"]) for c in data.get("commands", ())),
        runtime=tuple(data.get("runtime", ())),
        surroundings=surroundings_of(data),
        error_pages=data.get("errors", {}),
        path=path,
        **more,
    )


def surroundings_of(data: Mapping[str, Any]) -> Surroundings:
    """What checked manifest data says of the environment."""
    said = {key: value for key, value in data.get("environment", {}).items() if key in Surroundings.__dataclass_fields__}
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    if "runtime" in said:
        said["runtime"] = {device: tuple(lines) for device, lines in said["runtime"].items()}
    return Surroundings(**said)


def record_of_data(entry: Mapping[str, Any], distribution: str, version: str) -> ProviderRecord:
    """One provider of a manifest."""
    values: dict[str, Any] = {"distribution": distribution, "version": version}
    for key, value in entry.items():
        if key in _PARTS:
            values[key] = tuple(_part(_PARTS[key], item) for item in value)
        elif key in ProviderRecord.__dataclass_fields__:
            values[key] = tuple(value) if isinstance(value, list) else value
    return ProviderRecord(**values)


def _part(cls: type, item: Mapping[str, Any]) -> Any:
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k in cls.__dataclass_fields__})


def _record_data(record: ProviderRecord) -> dict[str, Any]:
    """The record's fields that say something, those that hold tables last."""
    data = _said(record)
    data.pop("distribution"), data.pop("version")
    data |= {key: [_said(item) for item in getattr(record, key)] for key in _PARTS if key in data}
    if record.schema == _NO_SCHEMA:
        data.pop("schema", None)
    order = [key for key in data if key not in _NESTED] + [key for key in data if key in _NESTED]
    return {key: data[key] for key in order}


def _said(part: Any) -> dict[str, Any]:
    """Field values that differ from the field's default, tuples as lists."""
    said = {}
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if value != default or field.name in ("kind", "name", "api"):
            said[field.name] = _listed(value)
    return said


def _listed(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return {key: _listed(item) for key, item in value.items()} if isinstance(value, Mapping) else value
