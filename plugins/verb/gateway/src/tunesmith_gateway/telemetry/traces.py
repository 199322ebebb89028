"""OpenTelemetry: a span for each request, below the client's own where it names one, above the server's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tunesmith.errors import UserError
from tunesmith_gateway.request.exchange import Exchange


class Traces:
    """Without a collector it does nothing.

    Args:
        collector: its address, spans go to ``/v1/traces`` of it.
        exporter: for tests, instead of one for `collector`.
    """

    def __init__(self, collector: str, exporter: Any = None) -> None:
        self._provider: Any = None
        if not collector:
            return
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise UserError(
                "TS-SERVE-043", "`traces` needs OpenTelemetry's SDK, which is not installed", why=str(error),
                fix="pip install 'tunesmith-gateway[traces]'",
            ) from None  # fmt: skip
        self._provider = TracerProvider(resource=Resource.create({"service.name": "tunesmith-gateway"}))
        exporter = exporter or OTLPSpanExporter(endpoint=collector.rstrip("/") + "/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("tunesmith_gateway")

    @contextmanager
    def span(self, exchange: Exchange, headers: Mapping[str, str]) -> Iterator[None]:
        """Around one request; what its server has to be sent is put into the exchange."""
        if self._provider is None:
            if "traceparent" in headers:  # the client's own trace goes on
                exchange.headers = {"traceparent": headers["traceparent"]}
            yield
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract(headers)
        with self._tracer.start_as_current_span(f"POST {exchange.path[:100]}", context, SpanKind.SERVER) as span:
            carried: dict[str, str] = {}
            TraceContextTextMapPropagator().inject(carried)
            exchange.headers = carried
            try:
                yield
            finally:
                span.set_attributes(
                    {
                        "gen_ai.request.model": exchange.model,
                        "http.response.status_code": exchange.status,
                        "tunesmith.request_id": exchange.id,
                        "tunesmith.key": exchange.client,
                        "tunesmith.version": exchange.version,
                        "tunesmith.attempts": exchange.attempts,
                        "tunesmith.outcome": exchange.outcome,
                    }
                )
                if exchange.status >= 500 or exchange.outcome != "done":
                    span.set_status(StatusCode.ERROR)

    def close(self) -> None:
        """Send what waits."""
        if self._provider is not None:
            self._provider.shutdown()
