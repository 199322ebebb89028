"""Metrics of ordered documents. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

CUTS, TOP = (1, 5, 10), 10  #: documents that are looked at: by the recalls, and by the others


def ranking_metrics(ranks: Sequence[Sequence[bool]], relevant: Sequence[int]) -> dict[str, float]:
    """Means over the queries.

    Args:
        ranks: of each query, whether each document is relevant, the nearest first; the first `TOP` at least, or all.
        relevant: how many documents are, of each query.
    """
    found = {f"recall@{cut}": _mean([sum(hits[:cut]) / count for hits, count in zip(ranks, relevant, strict=True)]) for cut in CUTS}
    gains = [sum(1 / log2(place + 2) for place, hit in enumerate(hits[:TOP]) if hit) for hits in ranks]
    best = [sum(1 / log2(place + 2) for place in range(min(count, TOP))) for count in relevant]
    found[f"ndcg@{TOP}"] = _mean([gain / most for gain, most in zip(gains, best, strict=True)])
    found[f"mrr@{TOP}"] = _mean([next((1 / place for place, hit in enumerate(hits[:TOP], 1) if hit), 0.0) for hits in ranks])
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
