"""The text of a manifest, `plugin.toml`, of a plugin's records. `tunesmith.plugins.manifest` reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tunesmith.plugins.manifest_schema import VERSION
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith_sdk.manifest import toml_text

_PARTS = ("needs", "slots", "inputs")
_NESTED = {"settings", "schema", "capabilities", "limits", "facts"}
_NO_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def manifest_of(plugin: Plugin) -> str:
    """The manifest's text: the same records give the same text, byte for byte."""
    data: dict[str, Any] = {"manifest": VERSION, "distribution": plugin.distribution, "version": plugin.version, "module": plugin.module}
    data |= {"runtime": list(plugin.runtime), "events": list(plugin.events)}
    data["environment"] = {key: value for key, value in _said(plugin.environment_spec).items() if value}
    data["errors"] = dict(plugin.error_pages)
    data["commands"] = [dict(zip(("name", "summary", "target"), command, strict=True)) for command in plugin.commands]
    data["kinds"] = [_said(kind) for kind in plugin.kinds]
    data["providers"] = [_record_data(record) for record in plugin.providers]
    head = "# Written by `tunesmith plugin sync` from the plugin's code: change that, then sync again.\n"
    return head + toml_text.dumps({key: value for key, value in data.items() if value not in ([], "", {})})


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
