"""A plugin's manifest, `plugin.toml`, as records. Reading it imports nothing of the plugin's (law L2); the SDK writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.provider import Input, Kind, Need, Slot
from tunesmith.errors import UserError
from tunesmith.plugins.records import EnvironmentSpec, Plugin, ProviderRecord

FILE = "plugin.toml"
_PARTS = {"needs": Need, "slots": Slot, "inputs": Input}


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
        environment_spec=surroundings_of(data),
        error_pages=data.get("errors", {}),
        path=path,
        **more,
    )


def surroundings_of(data: Mapping[str, Any]) -> EnvironmentSpec:
    """What checked manifest data says of the environment."""
    said = {key: value for key, value in data.get("environment", {}).items() if key in EnvironmentSpec.__dataclass_fields__}
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    if "runtime" in said:
        said["runtime"] = {device: tuple(lines) for device, lines in said["runtime"].items()}
    return EnvironmentSpec(**said)


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
