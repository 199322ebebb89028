"""What tunesmith-bench brings: the command `bench`, and the evaluator `load-test`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bench import SUMMARY
from tunesmith_bench.settings import LoadSettings

_LOWER = {
    f"{label}_{name}": {"better": "lower", "reference": False, "summary": f"{text}, {words}, in seconds"}
    for name, text in (("ttft", "time to the first token"), ("itl", "time between tokens"), ("e2e", "time of a whole answer"))
    for label, words in (("p50", "median"), ("p90", "90th percentile"), ("p95", "95th percentile"), ("p99", "99th percentile"))
}
METRICS = {
    **_LOWER,
    "output_tokens_per_second": {"better": "higher", "reference": False, "summary": "tokens of answers a second"},
    "requests_per_second": {"better": "higher", "reference": False, "summary": "answers a second"},
    "goodput": {"better": "higher", "reference": False, "summary": "answers a second within `slo`"},
    "failed": {"better": "lower", "reference": False, "summary": "share of the requests that failed"},
}


_RECOMMEND = {
    "order": 10, "settings": {"concurrency": 4, "requests": 12, "warm_up": 4},
    "rule": "three short runs tell whether a server answers, and about how fast", "source": "docs/bench.md",
}  # fmt: skip


@hookimpl
def evaluator() -> Provider:
    return Provider(
        "load-test",
        "latencies and throughput of an endpoint under load",
        "tunesmith_bench.evaluator:LoadTest",
        settings=LoadSettings,
        accepts=("endpoint/openai",),
        facts={"metrics": METRICS, "timed": True, "recommend": _RECOMMEND},
    )


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("bench", SUMMARY, "tunesmith_bench.commands:main")]
