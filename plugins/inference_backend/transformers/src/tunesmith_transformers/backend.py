"""The provider: a model artifact in, an endpoint out."""

from __future__ import annotations

import os
import time

from tunesmith.contracts import Address, Artifact, Step, TunesmithError
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
        service = Service(name, address, created=int(time.time()), max_request_bytes=self.settings.max_request_bytes)
        server = HttpServer(make_app(service), listener)
        try:
            server.start()  # at once, so that /health says `loading`
            self._serve(model, url, service, server, step)
        finally:
            service.state = "draining"
            if service.engine is not None:
                service.engine.stop()
                service.engine.forward.close()
            server.stop()
            service.close()
            listener.close()

    def _serve(self, model: Artifact, url: str, service, server, step: Step) -> None:
        from tunesmith_transformers.engine.engine_start import start_engine

        started = start_engine(model, self.settings, step, server.deliver, service.metrics)
        service.engine, service.vocabulary, service.grammars, service.defaults = started
        service.state = "ready"
        step.log(f"serving {service.name} at {url}")
        step.ready(url=url, model=service.name)
        while not step.wait_cancelled(POLL):
            if service.engine.error or not server.alive:
                raise TunesmithError(
                    "TS-SERVE-004", "The server stopped by itself.", why=service.engine.error or "its HTTP thread ended",
                    fix="Look at the step's log; fewer `max_num_seqs` or a smaller `kv_cache_gib` need less memory.",
                )  # fmt: skip
        service.state = "draining"
        shutdown_grace = step.settings.shutdown_grace
        if not service.engine.drain(shutdown_grace):
            step.log(f"answers still running after {shutdown_grace:g} s were cut off", "warning")
