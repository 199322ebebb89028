"""What measured runs say of the rules' predictions: by how much the next one is to be multiplied, and how sure that is.

The factor is the median of measured by predicted over the runs that are most like what is asked for: on the same device with the same
objective and adapter; where those are fewer than `ENOUGH`, with the same adapter; then all of that verb. It is a median because one run
beside a busy neighbour must not move it, and of the same device alone because ratios of devices differ. With fewer than `ENOUGH` runs it is
1: the rules speak. Between the least and the largest of n ratios lies the median of all such runs with a probability of 1 - 2^(1 - n),
whatever their distribution: 3 in 4 with three runs, 15 in 16 with five.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tunesmith_recommend.evidence.entry import Entry

ENOUGH = 3  # runs below which nothing is corrected
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
        return f"measured: from {self.runs} runs {where}, {self.like}, which took {self.low:.2f} to {self.high:.2f} times what rules say"


def correction(
    entries: Iterable[Entry], what: str, *, verb: str, device: str, providers: Mapping[str, str], home: str = ""
) -> Correction:  # fmt: skip
    """
    Args:
        what: `entry.TIME`, `MEMORY` or `DISK`.
        device: name of the one that is asked about; of one without a name nothing is known.
        providers: kind -> name, of the step.
        home: which entries are of here.
    """
    found = [(entry, ratio) for entry in entries if entry.verb == verb and entry.device == device and (ratio := entry.ratio(what))]
    if not device or not found:
        return Correction()
    for kinds in _LIKE:
        like = [(entry, ratio) for entry, ratio in found if all(entry.providers.get(kind) == providers.get(kind) for kind in kinds)]
        if len(like) >= ENOUGH:
            words = " and ".join(["the same device", *(str(providers.get(kind)) for kind in kinds)])
            return _of([ratio for _, ratio in like], words, sum(entry.home == home for entry, _ in like))
    return Correction(known=len(found))


def _of(ratios: Sequence[float], like: str, here: int) -> Correction:
    return Correction(median(ratios), len(ratios), min(ratios), max(ratios), like, here=here)
