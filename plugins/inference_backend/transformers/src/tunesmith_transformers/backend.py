"""The provider: a model artifact in, an endpoint out."""

from __future__ import annotations

import os
import time

from tunesmith.contracts import Address, Artifact, Step, TunesmithError
from tunesmith.contracts.artifacts import role_of
from tunesmith_transformers.settings import TransformersSettings

# Between the small matrix products of a step, OpenMP's threads are asleep or wake within microseconds: spinning for that moment makes
# steps a third faster, and bounded as it is it costs nothing while the server is idle. Read when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

POLL = 0.5  # seconds between looks at the threads' health


class TransformersBackend:
    """Implements `tunesmith.contracts.InferenceBackend`."""

    def __init__(self, settings: TransformersSettings) -> None:
        self.settings = settings

    def serve(self, model: Artifact, name: str, address: Address, step: Step) -> None:
        from tunesmith_transformers.api.app import make_app
        from tunesmith_transformers.api.server import HttpServer, listen, url_of
        from tunesmith_transformers.api.service import Service

        listener = listen(address)
        url = url_of(listener)
        role = role_of(model.format)
        service = Service(name, address, created=int(time.time()), max_request_bytes=self.settings.max_request_bytes, role=role)
        server = HttpServer(make_app(service), listener)
        try:
            server.start()  # at once, so that /health says `loading`
            self._serve(model, url, service, server, step)
        finally:
            service.state = "draining"
            if service.engine is not None:
                service.engine.stop()
                service.engine.forward.close()
            if service.pooler is not None:
                service.pooler.stop()
            server.stop()
            service.close()
            listener.close()

    def _serve(self, model: Artifact, url: str, service, server, step: Step) -> None:
        from tunesmith_transformers.api.service import route_of
        from tunesmith_transformers.engine.engine_start import start_engine
        from tunesmith_transformers.pooling.start import start_pooler

        if service.role:
            service.pooler = start_pooler(model, self.settings, step, service.metrics)
        else:
            started = start_engine(model, self.settings, step, server.deliver, service.metrics)
            service.engine, service.vocabulary, service.grammars, service.defaults = started
        service.state = "ready"
        step.log(f"serving {service.name} at {url}")
        step.ready(url=url, model=service.name, **({"answers": route_of(service.role)} if service.role else {}))
        while not step.wait_cancelled(POLL):
            if service.worker.error or not server.alive:
                raise TunesmithError(
                    "TS-SERVE-004", "The server stopped by itself.", why=service.worker.error or "its HTTP thread ended",
                    fix="Look at the step's log; fewer `max_num_seqs` or a smaller `kv_cache_gib` need less memory.",
                )  # fmt: skip
        service.state = "draining"
        shutdown_grace = step.settings.shutdown_grace
        if not service.worker.drain(shutdown_grace):
            step.log(f"answers still running after {shutdown_grace:g} s were cut off", "warning")
