"""From the names in a manifest to objects: done in the worker, at the first use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts.settings import build
from tunesmith.errors import TunesmithError


def load(target: str, distribution: str = "") -> Any:
    """The object that ``package.module:name`` names.

    Args:
        distribution: who brings it, for the advice when a module is missing.

    Raises:
        TunesmithError: TS-RUN-011 when a module it imports is not installed; TS-RUN-017 when there is no such object.
    """
    module_name, _, path = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        runtime = f'pip install "{distribution}[runtime]"' if distribution else f"pip install {missing}"
        raise TunesmithError(
            "TS-RUN-011", f"`{target}` needs the module `{missing}`, which is not installed where the step runs",
            fix=f"Install it: {runtime}",
        ) from error  # fmt: skip
    try:
        for part in path.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise TunesmithError(
            "TS-RUN-017", f"There is no `{path}` in the module `{module_name}`",
            why=f"The manifest of {distribution or 'its plugin'} names it, so manifest and code differ.",
            fix="Install the plugin again; its author runs `tunesmith plugin sync`.",
        ) from error  # fmt: skip
    return found


def settings_of(settings_class: str, values: Mapping[str, Any], distribution: str = "") -> Any:
    """The settings object, or None for a provider that has no settings."""
    return build(load(settings_class, distribution) if settings_class else None, values)


def build_provider(target: str, settings_class: str, values: Mapping[str, Any], distribution: str = "") -> Any:
    """The provider that `target` names, called with its settings object; without arguments if it has no settings."""
    cls = load(target, distribution)
    return cls(settings_of(settings_class, values, distribution)) if settings_class else cls()
