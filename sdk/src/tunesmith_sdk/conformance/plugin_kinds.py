"""Kinds that plugins bring, as the kit needs them: their checks and contracts."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tunesmith.config import load_config
from tunesmith.contracts.provider import Kind
from tunesmith.errors import UserError
from tunesmith.plugins.registry import load_registry

_OWN: dict[str, Kind] = {}  #: of plugins that are checked from their source


def add(kinds: Iterable[Kind], root: Path) -> None:
    """Let the kit know the kinds of a plugin that is checked, whether or not it is installed.

    Args:
        root: the folder that its package lies in.
    """
    for kind in kinds:
        _OWN[kind.name] = kind
        package = kind.contract.partition(".")[0]
        if importlib.util.find_spec(package) is None:
            sys.path.append(str(root))


def all_kinds() -> dict[str, Kind]:
    """By name: those of plugins that are being checked, and those that are installed."""
    return {**_installed(), **_OWN}


@cache
def _installed() -> dict[str, Kind]:
    return dict(load_registry(load_config()).kinds)


def import_checks(kind: Kind) -> None:
    """
    Raises:
        UserError: TS-PLUGIN-008 when they can't be imported.
    """
    try:
        importlib.import_module(kind.checks)
    except Exception as error:
        what = f"the checks of the kind `{kind.name}` can't be imported: {type(error).__name__}: {error}"
        fix = f"Fix {kind.checks}, or update the distribution that brings the kind."
        raise UserError("TS-PLUGIN-008", what, fix=fix) from error
