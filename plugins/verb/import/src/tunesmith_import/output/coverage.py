"""Which tools are understood, and how many of their keys become what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith_cli.api import columns
from tunesmith_cli.api import gettext as _
from tunesmith_import.api.contract import Importer
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, REFUSED

_KINDS = (MAPPED, REFUSED, NO_EFFECT)


def listing(importers: Mapping[str, Importer]) -> str:
    head = (_("tool"), _("keys"), _("mapped"), _("refused"), _("without effect"))
    return columns([head, *_rows(importers)])


def _rows(importers: Mapping[str, Importer]) -> Iterator[tuple[str, ...]]:
    for name, importer in importers.items():
        counts = counted(importer)
        yield name, str(sum(counts.values())), *(str(counts[kind]) for kind in _KINDS)


def counted(importer: Importer) -> Mapping[str, int]:
    found: Mapping[str, Any] = Counter(importer.keys().values())
    return {kind: found[kind] for kind in _KINDS}
