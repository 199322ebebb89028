"""What the engine counts, as Prometheus metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tunesmith_transformers.engine.scheduler import Batch
from tunesmith_transformers.engine.sequence import Delta, Sequence

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Counters, gauges and histograms of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("tunesmith_requests", "HTTP requests by route and status", ["route", "status"], registry=registry)
        self.answers = Counter("tunesmith_answers", "ended answers by reason", ["finish"], registry=registry)
        self.prompt_tokens = Counter("tunesmith_prompt_tokens", "tokens of prompts read", registry=registry)
        self.generated_tokens = Counter("tunesmith_generated_tokens", "tokens generated", registry=registry)
        self.preemptions = Counter("tunesmith_preemptions", "answers interrupted for want of cache and read again", registry=registry)
        self.prefix_queries = Counter("tunesmith_prefix_cache_queries", "tokens looked up in the prefix cache", registry=registry)
        self.prefix_hits = Counter("tunesmith_prefix_cache_hits", "tokens found there, and not read again", registry=registry)
        self.running = Gauge("tunesmith_sequences_running", "sequences in the batch", registry=registry)
        self.waiting = Gauge("tunesmith_sequences_waiting", "sequences that wait for room", registry=registry)
        self.first_token = self._seconds("tunesmith_time_to_first_token_seconds", "from arrival to the first token")
        self.latency = self._seconds("tunesmith_answer_seconds", "from arrival to the end of the answer")
        self.steps = self._seconds("tunesmith_step_seconds", "duration of a step of the engine")

    def _seconds(self, name: str, documentation: str) -> Histogram:
        return Histogram(name, documentation, buckets=SECONDS, registry=self.registry)

    def step(self, batch: Batch, out: Iterable[tuple[Sequence, Delta]], running: int, waiting: int, seconds: float) -> None:
        """Count one step and what it gave."""
        self.steps.observe(seconds)
        self.prompt_tokens.inc(sum(len(chunk.tokens) for chunk in batch.chunks[batch.decoding :]))
        self.running.set(running)
        self.waiting.set(waiting)
        now = time.perf_counter()
        generated = 0
        for sequence, delta in out:
            generated += bool(sequence.generated) and not delta.error
            if sequence.generated == 1:
                self.first_token.observe(now - sequence.arrived)
            if delta.finish:
                self.ended(delta.finish, now - sequence.arrived)
        self.generated_tokens.inc(generated)

    def looked_up(self, tokens: int, found: int) -> None:
        """Count what the prefix cache was asked for and had."""
        self.prefix_queries.inc(tokens)
        self.prefix_hits.inc(found)

    def ended(self, finish: str, seconds: float) -> None:
        self.answers.labels(finish).inc()
        self.latency.observe(seconds)
