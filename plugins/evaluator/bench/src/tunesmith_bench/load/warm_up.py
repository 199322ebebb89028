"""When a server has warmed up: its latencies show no trend any more."""

from __future__ import annotations

from tunesmith_bench.load.record import Record
from tunesmith_bench.statistics.trend import mann_kendall

LEVEL = 0.05  #: a trend is seen below this p-value
LEAST = 10  # answers that are looked at, at least
CEILING = 10  # windows after which the measurement begins all the same, and is marked


class WarmUp:
    """Watches answers as they come until the last `window` of them show no trend, in the time to the first token and in the whole.

    The test is Mann and Kendall's (see `tunesmith_bench.statistics.trend`). It is made once a half window, after as many answers as are
    under way at a time (they came in the burst of the start) and a whole window more. Answers depend on their neighbours, which shows
    trends where there are none: the warm-up is then longer than it need be, never shorter.

    Args:
        together: requests under way at a time, or an estimate of it.
        most: answers after which it ends without having become stationary; 0: `CEILING` windows. As many failures end it, too.
    """

    def __init__(self, together: int, most: int = 0) -> None:
        self.window = max(LEAST, 2 * together)
        self.least = together + self.window
        self.most = most or self.least + CEILING * self.window
        self.seen: list[Record] = []
        self.failed = 0
        self.over = self.stationary = False

    def add(self, record: Record) -> None:
        """Take notice of an answer, in the order in which they ended."""
        if self.over:
            return
        if not record.answered:
            self.failed += 1
            self.over = self.failed >= self.most
            return
        self.seen.append(record)
        count = len(self.seen)
        if count >= self.least and (count - self.least) % (self.window // 2) == 0:
            last = self.seen[-self.window :]
            series = ([one.ttft for one in last], [one.e2e for one in last])
            self.stationary = self.over = all(mann_kendall(values).p >= LEVEL for values in series)
        self.over = self.over or count >= self.most
