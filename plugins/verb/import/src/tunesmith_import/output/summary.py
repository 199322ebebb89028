"""What is told of an import: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunesmith_cli.api import columns, translated, wrap
from tunesmith_cli.api import gettext as _
from tunesmith_import.mapping.account import Account, Verdict
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, REFUSED, UNKNOWN
from tunesmith_import.output.pipeline_text import pipeline_of

KINDS = (MAPPED, REFUSED, NO_EFFECT, UNKNOWN)
_WIDTH = 120


def to_json(draft: Draft, account: Account) -> dict[str, Any]:
    verdicts = account.verdicts()
    return {
        "tool": account.table.tool, "version": account.table.version, "pipeline": pipeline_of(draft), "remarks": draft.remarks,
        "counts": {kind: sum(verdict.kind == kind for verdict in verdicts) for kind in KINDS},
        "keys": [verdict.to_json() for verdict in verdicts],
    }  # fmt: skip


def page(draft: Draft, account: Account) -> str:
    """How many keys became what, and each that has no place with its line and reason."""
    named = {MAPPED: _("mapped"), REFUSED: _("refused"), NO_EFFECT: _("without effect"), UNKNOWN: _("unknown")}
    counts = _(", ").join(f"{len(account.of(kind))} {named[kind]}" for kind in KINDS if account.of(kind) or kind == MAPPED)
    lines = [f"{account.configuration.path.name} ({account.table.tool}){_(': ')}{counts}"]
    for kind in (REFUSED, UNKNOWN, NO_EFFECT):
        if found := account.of(kind):
            lines += ["", named[kind], columns([*_rows(found)], "  ")]
    for remark in draft.remarks:
        lines += wrap(translated(remark), _WIDTH, "! ", "  ")
    return "\n".join(lines)


def _rows(found: list[Verdict]) -> Iterator[tuple[str, str, str]]:
    for verdict in found:
        instead = translated(verdict.instead)
        if verdict.kind == UNKNOWN:
            said = _("did you mean {name}?", name=verdict.instead) if verdict.instead else ""
        else:
            said = translated(verdict.because) + (f"; {instead}" if instead else "")
        yield f"{verdict.entry.file}:{verdict.entry.line}", verdict.entry.key, said
