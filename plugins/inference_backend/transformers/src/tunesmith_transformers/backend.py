"""The provider: a model artifact in, an endpoint out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tunesmith.contracts import Address, Artifact, Step, TunesmithError
from tunesmith.contracts.artifacts import role_of
from tunesmith_transformers.settings import TransformersSettings

if TYPE_CHECKING:
    from tunesmith_transformers.api.host import Host

# Between the small matrix products of a step, OpenMP's threads are asleep or wake within microseconds: spinning for that moment makes
# steps a third faster, and bounded as it is it costs nothing while the server is idle. Read when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

POLL = 0.5  # seconds between looks at the threads' health


class TransformersBackend:
    """Implements `tunesmith.contracts.InferenceBackend`."""

    def __init__(self, settings: TransformersSettings) -> None:
        self.settings = settings

    def serve(self, model: Artifact, name: str, address: Address, step: Step) -> None:
        from tunesmith_transformers.api.host import Host

        with Host(name, address, max_request_bytes=self.settings.max_request_bytes, role=role_of(model.format)) as host:
            self._serve(model, host, step)

    def _serve(self, model: Artifact, host: Host, step: Step) -> None:
        from tunesmith_transformers.api.service import route_of
        from tunesmith_transformers.engine.engine_start import start_engine
        from tunesmith_transformers.pooling.start import start_pooler

        service = host.service
        if service.role:
            service.pooler = start_pooler(model, self.settings, step, service.metrics)
        else:
            started = start_engine(model, self.settings, step, host.server.deliver, service.metrics)
            service.engine, service.vocabulary, service.grammars = started.engine, started.vocabulary, started.grammars
            service.defaults, service.vision = started.defaults, started.vision
        host.ready()
        step.log(f"serving {service.name} at {host.url}")
        step.ready(url=host.url, model=service.name, **({"answers": route_of(service.role)} if service.role else {}))
        while not step.wait_cancelled(POLL):
            if host.failure:
                raise TunesmithError(
                    "TS-SERVE-004", "The server stopped by itself.", why=host.failure,
                    fix="Look at the step's log; fewer `max_num_seqs` or a smaller `kv_cache_gib` need less memory.",
                )  # fmt: skip
        shutdown_grace = step.settings.shutdown_grace
        if under_way := host.under_way:
            answers = "1 answer is" if under_way == 1 else f"{under_way} answers are"
            step.log(f"{answers} under way, and may take {shutdown_grace:g} s to end (setting `shutdown_grace`)", "notice")
        if not host.drain(shutdown_grace):
            step.log(f"answers still running after {shutdown_grace:g} s were cut off", "warning")
