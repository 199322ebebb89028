"""Runs on like rows, and the quality that another one is likely to come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tunesmith_recommend.evidence.entry import LOSS, Entry

LIKE = 3.0  # rows are alike that are as many, and as long, but for this factor; models, that are as large
ENOUGH = 3  # runs below which nothing is said
_KINDS = ("objective", "adapter")


@dataclass(frozen=True)
class LikelyQuality:
    """
    Args:
        value: the median of the validation losses of `runs`; `low`, `high`: the least and the largest.
        same: whether they were of exactly these rows and this model.
    """

    value: float
    runs: int
    low: float
    high: float
    same: bool

    @property
    def words(self) -> str:
        of = "these rows and this model" if self.same else "like rows"
        return f"measured: from {self.runs} runs on {of}, {self.low:.4g} to {self.high:.4g}"


def likely_quality(
    entries: Iterable[Entry], *, verb: str, providers: Mapping[str, str], data: Mapping[str, Any], model: Mapping[str, Any]
) -> LikelyQuality | None:  # fmt: skip
    """None where too few like runs are known; those of the same rows and model count alone where they are enough.

    Args:
        data, model: as of `Entry`; digests may be missing.
    """
    wanted = {kind: providers[kind] for kind in _KINDS if kind in providers}
    like = like_runs(entries, verb=verb, providers=wanted, data=data, model_bytes=float(model.get("bytes") or 0))
    same = [one for one in like if all(known.get("digest") and known["digest"] == asked.get("digest")
                                       for known, asked in ((one.data, data), (one.model, model)))]  # fmt: skip
    found = same if len(same) >= ENOUGH else like
    losses = [one.results[LOSS] for one in found]
    if len(losses) < ENOUGH:
        return None
    return LikelyQuality(median(losses), len(losses), min(losses), max(losses), found is same)


def like_runs(
    entries: Iterable[Entry], *, verb: str, providers: Mapping[str, str], data: Mapping[str, Any], model_bytes: float
) -> list[Entry]:  # fmt: skip
    """Those with a validation loss, with the same providers, on rows and models that are alike.

    Args:
        data: ``rows`` and ``characters``.
    """
    return [
        one
        for one in entries
        if one.verb == verb and LOSS in one.results and all(one.providers.get(kind) == name for kind, name in providers.items())
        and _near(one.model.get("bytes"), model_bytes) and _alike(one.data, data)
    ]  # fmt: skip


def _alike(known: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    rows, other = float(known.get("rows") or 0), float(asked.get("rows") or 0)
    if not rows or not other:
        return False
    length, asked_length = float(known.get("characters") or 0) / rows, float(asked.get("characters") or 0) / other
    return _near(rows, other) and _near(length, asked_length)


def _near(one: Any, other: float) -> bool:
    return bool(one and other and 1 / LIKE <= float(one) / other <= LIKE)
