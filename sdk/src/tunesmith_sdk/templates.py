"""What a plugin can be made to bring, and where the templates for it lie: in the SDK, or in the plugin that brings the kind."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tunesmith.config import load_config
from tunesmith.contracts import API
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import load_registry

TEMPLATE = Path(__file__).parent / "template"


class Scaffold(NamedTuple):
    """The templates of a kind that a plugin brings."""

    plugin: Plugin
    folder: Path


def kinds() -> tuple[str, ...]:
    """The kernel's own kinds, those that installed plugins bring with templates, and event hooks alone."""
    own = [kind for kind in API if (TEMPLATE / "kinds" / kind).is_dir()]
    return (*own, *brought(), "hooks")


def brought() -> dict[str, Scaffold]:
    """By kind, what installed plugins bring."""
    registry = load_registry(load_config())
    return {name: found for name in registry.kinds if (found := scaffold_of(registry.bringer(name), name))}


def scaffold_of(plugin: Plugin, name: str) -> Scaffold | None:
    """The templates of a kind in the plugin that brings it; None where it has none."""
    kind = next((kind for kind in plugin.kinds if kind.name == name), None)
    folder = plugin.path.parent / kind.scaffold if kind and kind.scaffold and plugin.path else None
    return Scaffold(plugin, folder) if folder and folder.is_dir() else None
