"""What measured runs say of the rules' predictions: by how much the next one is to be multiplied, and how sure that is.

The factor is the median of measured by predicted over the runs that are most like what is asked for: on the same device, in the same
dtype, of a model of about its size, with the same objective and adapter; where those are fewer than `NARROW`, with the same adapter; then
all of that verb, at least `ENOUGH`. It is a median because one run beside a busy neighbour must not move it. Ratios of other devices and
dtypes are others, and those of much smaller models tell of what is there besides computing. With fewer runs it is 1: the rules speak.

Between the least and the largest of n ratios lies the median of all such runs with a probability of 1 - 2^(1 - n), whatever their
distribution: 3 in 4 with three runs, 15 in 16 with five. A narrower likeness needs more runs because three of a kind were further off, left
out one by one, than all that there were (docs/recommend.md has the runs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tunesmith_recommend.evidence.entry import Entry

ENOUGH, NARROW = 3, 5  # runs below which nothing is corrected; and below which those of a kind don't count for themselves
SIZE = 4.0  # models are of about one size whose bytes differ by no more than this factor
_LIKE = (("objective", "adapter"), ("adapter",), ())  # what has to be the same, the narrowest first


@dataclass(frozen=True)
class Correction:
    """
    Args:
        factor: for the rules' prediction; 1 where they speak alone.
        runs: it comes from; `low`, `high`: the least and the largest of their ratios.
        like: what those runs share, beside the device.
        known: runs that were found where they were too few to count.
        here: of `runs`, how many are of this home.
    """

    factor: float = 1.0
    runs: int = 0
    low: float = 1.0
    high: float = 1.0
    like: str = ""
    known: int = 0
    here: int = 0

    @property
    def words(self) -> str:
        """What it comes from, for people."""
        if not self.runs:
            few = f"; {self.known} {'run' if self.known == 1 else 'runs'} like it, and {ENOUGH} are needed" if self.known else ""
            return f"rules{few}"
        where = "here" if self.here == self.runs else f"of which {self.here} here"
        times = f"{self.factor:.2f} times what rules say, {self.low:.2f} to {self.high:.2f}"
        return f"measured: from {self.runs} runs {where} ({self.like}): {times}"


def correction(
    entries: Iterable[Entry], what: str, *, verb: str, device: str, providers: Mapping[str, str], dtype: str = "",
    model_bytes: float = 0.0, home: str = "",
) -> Correction:  # fmt: skip
    """
    Args:
        what: `entry.TIME`, `MEMORY` or `DISK`.
        device: name of the one that is asked about; of one without a name nothing is known.
        providers: kind -> name, of the step.
        dtype: that the step asks for; entries of others don't count.
        model_bytes: of the model; 0: whatever its size.
        home: which entries are of here.
    """
    alike = (entry for entry in entries if (entry.verb, entry.device, entry.dtype) == (verb, device, dtype))
    found = [(entry, ratio) for entry in alike if _near(entry, model_bytes) and (ratio := entry.ratio(what))]
    if not device or not found:
        return Correction()
    for kinds in _LIKE:
        like = [(entry, ratio) for entry, ratio in found if all(entry.providers.get(kind) == providers.get(kind) for kind in kinds)]
        if len(like) >= (NARROW if kinds else ENOUGH):
            named = ["the same device", "such a model" if model_bytes else "", dtype if dtype != "auto" else "", *map(providers.get, kinds)]
            words = " and ".join(filter(None, named))
            return _of([ratio for _, ratio in like], words, sum(entry.home == home for entry, _ in like))
    return Correction(known=len(found))


def _near(entry: Entry, model_bytes: float) -> bool:
    size = float(entry.model.get("bytes") or 0.0)
    return not model_bytes or bool(size and 1 / SIZE <= size / model_bytes <= SIZE)


def _of(ratios: Sequence[float], like: str, here: int) -> Correction:
    return Correction(median(ratios), len(ratios), min(ratios), max(ratios), like, here=here)
