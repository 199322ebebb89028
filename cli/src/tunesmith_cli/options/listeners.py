"""``--track NAME``: who is told of this run, of each kind that listens, by the key under which a pipeline names them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from tunesmith_cli.options.parser import dashed

if TYPE_CHECKING:
    from tunesmith.contracts import Kind
    from tunesmith.plugins.registry import Registry

_DEST = "listening:"  # how the destinations begin


def kinds_that_listen(registry: Registry) -> dict[str, Kind]:
    """The kinds that are told of runs, by key."""
    return {kind.listens: kind for kind in registry.kinds.values() if kind.listens}


def add_listeners(group: Any, registry: Registry) -> None:
    """An option for each of them."""
    for key, kind in kinds_that_listen(registry).items():
        known = ", ".join(["none", *registry.providers(kind.name)])
        told = f"a {kind.name.replace('_', ' ')} for this run, one of {known}; again for more"
        group.add_argument(f"--{dashed(key)}", dest=f"{_DEST}{key}", action="append", metavar="NAME", help=told)


def listeners(args: Namespace) -> dict[str, Any]:
    """Key -> name or names, of those that were given."""
    given = {dest.removeprefix(_DEST): names for dest, names in vars(args).items() if dest.startswith(_DEST) and names}
    return {key: names if len(names) > 1 else names[0] for key, names in given.items()}
