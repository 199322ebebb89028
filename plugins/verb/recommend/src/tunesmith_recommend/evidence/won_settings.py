"""Settings that won: among runs on like data that differ in a setting, the value of the one whose model was best on rows held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith_recommend.evidence.entry import LOSS, Entry
from tunesmith_recommend.evidence.quality import like_runs

ENOUGH = 3  # runs that differ in the setting, below which nobody has won anything
SETTINGS = ("learning_rate",)


@dataclass(frozen=True)
class Won:
    """
    Args:
        setting, value: what won; `best`: its result.
        next_best: result of the best run with another value.
        runs: that were compared; `values`: how many values they had.
    """

    setting: str
    value: float
    best: float
    next_best: float
    runs: int
    values: int

    @property
    def words(self) -> str:
        return (
            f"the best of {self.values} values in {self.runs} runs on like rows: a validation loss of {self.best:.4g}, "
            f"with another value {self.next_best:.4g}"
        )


def won(entries: Iterable[Entry], *, verb: str, providers: Mapping[str, str], data: Mapping[str, Any], model_bytes: float) -> list[Won]:
    """By setting, for a step with those providers on such data.

    Args:
        data: ``rows`` and ``characters``.
        model_bytes: of the model that is to be trained; runs of models that are much larger or smaller don't count.
    """
    like = like_runs(entries, verb=verb, providers=providers, data=data, model_bytes=model_bytes)
    return [found for setting in SETTINGS if (found := _winner(like, setting))]


def _winner(like: Iterable[Entry], setting: str) -> Won | None:
    """Losses are compared only among runs of the same rows and the same model that are alike in all else; the most compared ones count."""
    groups: dict[Any, list[Entry]] = defaultdict(list)
    for entry in like:
        if setting in entry.settings:
            others = tuple(sorted((name, value) for name, value in entry.settings.items() if name != setting))
            groups[entry.data.get("digest"), entry.model.get("digest"), others].append(entry)
    best: Won | None = None
    for group in groups.values():
        results: dict[float, float] = {}
        for entry in group:
            value = entry.settings[setting]
            results[value] = min(results.get(value, float("inf")), entry.results[LOSS])
        if len(results) < ENOUGH:
            continue
        ordered = sorted(results, key=lambda value: (results[value], value))
        found = Won(setting, ordered[0], results[ordered[0]], results[ordered[1]], len(group), len(results))
        if best is None or (found.runs, -found.best) > (best.runs, -best.best):
            best = found
    return best
