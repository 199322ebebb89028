"""What a gateway counts, for Prometheus. Models and keys are those of the configuration, so that strangers can't make new series."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tunesmith_gateway.request.exchange import Exchange
from tunesmith_gateway.routing.model_routes import Routes

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "tunesmith_gateway_requests_total", "requests that are over", ["model", "key", "status", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "tunesmith_gateway_request_seconds",
            "from a request's head to the end of its answer",
            ["model"],
            registry=registry,
            buckets=_SECONDS,
        )
        self.first = Histogram(
            "tunesmith_gateway_first_byte_seconds", "until an answer began", ["model"], registry=registry, buckets=_SECONDS
        )
        self.running = Gauge("tunesmith_gateway_running_requests", "requests under way", registry=registry)
        self.sent = Counter("tunesmith_gateway_sent_bytes_total", "bytes of answers", ["model"], registry=registry)
        self.retries = Counter("tunesmith_gateway_retries_total", "requests tried at another server", ["model"], registry=registry)
        self.resumed = Counter(
            "tunesmith_gateway_resumed_streams_total", "streams taken up at another server", ["model"], registry=registry
        )
        self.up = Gauge("tunesmith_gateway_upstream_up", "whether a server is there", ["model", "version", "upstream"], registry=registry)
        self.busy = Gauge("tunesmith_gateway_upstream_running", "requests at a server", ["model", "version", "upstream"], registry=registry)
        self.share = Gauge("tunesmith_gateway_version_share", "share of a version", ["model", "version"], registry=registry)
        self.switches = Counter("tunesmith_gateway_switches_total", "switches that are over", ["model", "outcome"], registry=registry)

    def add(self, exchange: Exchange) -> None:
        model = exchange.model
        self.requests.labels(model, exchange.client, str(exchange.status), exchange.outcome).inc()
        if model:
            self.seconds.labels(model).observe(exchange.seconds)
            self.sent.labels(model).inc(exchange.sent)
            if exchange.first:
                self.first.labels(model).observe(exchange.first)

    def text(self, routes: Routes) -> bytes:
        """All of it, with the state of the servers as it is now."""
        for gauge in (self.up, self.busy, self.share):
            gauge.clear()
        for route in routes.by_name.values():
            for version in route.versions:
                self.share.labels(route.name, version.name).set(version.share)
                for upstream in version.upstreams:
                    self.up.labels(route.name, version.name, upstream.name).set(upstream.up)
                    self.busy.labels(route.name, version.name, upstream.name).set(upstream.running)
        return generate_latest(self.registry)
