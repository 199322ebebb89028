"""Which importer reads a configuration: the one that is named, or the one that claims it most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunesmith.errors import UserError
from tunesmith.isolation.provider_import import build_provider
from tunesmith_import import KIND
from tunesmith_import.api.contract import Importer

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry
    from tunesmith_import.configuration.configuration import Configuration

_CLOSE = 0.05  #: claims that differ by less are one


def importers(registry: Registry) -> Mapping[str, Importer]:
    """Those that are installed, by name."""
    return {
        name: build_provider(record.target, record.settings, {}, record.distribution)
        for name, record in sorted(registry.providers(KIND).items())
    }


def choose_importer(registry: Registry, configuration: Configuration, name: str = "") -> Importer:
    """
    Raises:
        UserError: TS-IMPORT-002 where none claims it, or several do alike; what the registry says of a name that is not there.
    """
    if name:
        record = registry.provider(KIND, name)
        found: Importer = build_provider(record.target, record.settings, {}, record.distribution)
        return found
    here = importers(registry)
    claims = sorted(((importer.claim(configuration), tool) for tool, importer in here.items()), reverse=True)
    likely = [tool for claim, tool in claims if claim > 0 and claims[0][0] - claim < _CLOSE]
    if len(likely) != 1:
        what = f"{configuration.path} may be of {' or '.join(likely)}" if likely else f"{configuration.path} is of no tool that is known"
        raise UserError("TS-IMPORT-002", what, fix=f"Say whose it is: --from {' | '.join(likely or here)}.")
    return here[likely[0]]
