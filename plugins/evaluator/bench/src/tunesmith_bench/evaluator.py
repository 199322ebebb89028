"""The evaluator `load-test`: a point of a measurement as metrics that gates can hold a server to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tunesmith.contracts import Artifact, Evaluation, Step, TunesmithError
from tunesmith_bench.benchmark import Benchmark, Plan
from tunesmith_bench.load.http_transport import HttpTransport
from tunesmith_bench.results.point import SHARES, Load, Point
from tunesmith_bench.results.slo import Slo, parse_slo
from tunesmith_bench.settings import LoadSettings
from tunesmith_bench.workload.calibration import calibrate
from tunesmith_bench.workload.lengths import parse_length
from tunesmith_bench.workload.prompts import Workload
from tunesmith_bench.workload.token_counter import TokenCounter

POLL = 0.5  # seconds between looks at whether the step is to stop


class LoadTest:
    """Asks an endpoint as `tunesmith bench` does, at one load. What can't be known (a p99 of too few requests) is left out of the metrics,
    so a gate over it fails rather than passes."""

    def __init__(self, settings: LoadSettings) -> None:
        self.settings = settings
        self._slo: Slo = parse_slo(settings.slo)
        self._lengths = (parse_length(settings.prompt_tokens), parse_length(settings.output_tokens))

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        point = asyncio.run(self._measure(subject, step))
        for mark in point.marks:
            step.log(f"{point.load}: {mark.name}: {mark.why}", "warning")
        return Evaluation(metrics_of(point))

    async def _measure(self, subject: Artifact, step: Step) -> Point:
        settings = self.settings
        counter = TokenCounter(_tokenizer(subject))
        model = settings.model or str(subject.meta["model"])
        async with HttpTransport(
            str(subject.meta["url"]), model, timeout=settings.timeout, keep_text=counter.tokenizer is not None
        ) as transport:  # fmt: skip
            scale, answer = await calibrate(transport)
            if answer.error and not answer.pieces:
                fix = "See the server's log: tunesmith runs logs."
                raise TunesmithError("TS-BENCH-010", "the endpoint does not answer a first question", why=answer.error, fix=fix)
            workload = Workload(*self._lengths, settings.shared_prefix, (), settings.ignore_eos, settings.temperature)
            plan = Plan(settings.requests, settings.runs, step.seed, settings.warm_up, self._slo)
            benchmark = Benchmark(transport, workload, counter, plan, _Told(step, settings), scale)
            load = Load(0 if settings.rate else settings.concurrency, settings.rate, settings.arrival)
            measuring = asyncio.ensure_future(benchmark.measure(load))
            try:
                while not measuring.done():
                    await asyncio.wait([measuring], timeout=POLL)
                    step.check_cancelled()
            finally:
                measuring.cancel()
            step.decide(
                f"count tokens by {benchmark.counted_by}", "the model's tokenizer is taken where it is at hand, else the server's usage"
            )
            return measuring.result()


class _Told:
    """The step's progress, as a measurement tells it."""

    def __init__(self, step: Step, settings: LoadSettings) -> None:
        self._step, self._settings = step, settings

    def phase(self, point: str, run: int, phase: str, done: int, total: int) -> None:
        if phase == "measured":
            self._step.progress((run - 1) * total + done, self._settings.runs * total, what=f"measuring {point}", unit="requests")

    def point(self, point: Point) -> None:
        """Its figures become metrics."""


def metrics_of(point: Point) -> dict[str, float]:
    """What is known of a point, by the names of the manifest."""
    figures = point.figures
    found = {f"{label}_{name}": figures[name][label] for name in ("ttft", "itl", "e2e") for label in SHARES}
    found |= {name: figures[name]["mean"] for name in ("output_tokens_per_second", "requests_per_second", "goodput")}
    found["failed"] = figures["failed"] / figures["requests"]
    return {name: float(value) for name, value in found.items() if value is not None}


def _tokenizer(subject: Artifact) -> Path | None:
    """Of the model behind the endpoint, where it is known and its tokenizer can be read here."""
    model = subject.refs.get("model")
    path = model.path / "tokenizer.json" if model else None
    if path is None or not path.is_file():
        return None
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        return None
    return path
