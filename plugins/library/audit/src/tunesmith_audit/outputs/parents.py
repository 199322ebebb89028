"""How far a model of several others is from each of them: told, and held to no bound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith_audit.bounds import Bounds
from tunesmith_audit.outputs.comparison import said
from tunesmith_audit.outputs.distance import NotCompared, distance, ids_of
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Finding, Verdict

_ANY = Bounds(kl=float("inf"), top1=0.0, perplexity=float("inf"))
FIGURES = ("kl", "top1", "perplexity_ratio")


def told_apart(parents: Mapping[str, Path], child: Path, device: str, settings: AuditSettings) -> Verdict:
    """Figures by the parents' names. A model is in memory at a time.

    Args:
        parents: the base first, whose tokenizer the child has.
    """
    base = next(iter(parents.values()))
    try:
        ids, gated = ids_of(base, child, settings.prompts)
        if not gated.ok:
            return gated
        after = said(child, ids, device)
        if not all(bool(one.isfinite().all()) for one in after):
            return gated + Verdict((Finding("TS-GATE-002", "what it says is no number"),))
        found: dict[str, Any] = {}
        for name, path in parents.items():
            figures = distance(said(path, ids, device), after, ids, _ANY).figures
            found[name] = {key: figures[key] for key in FIGURES}
            found[name]["intervals"] = figures.get("intervals", {})
        return gated + Verdict(figures={"parents": found})
    except NotCompared as reason:
        return Verdict(not_compared=(str(reason),))
