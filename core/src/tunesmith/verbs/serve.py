"""The verb ``serve``: a service, up for as long as its step runs."""

from __future__ import annotations

from tunesmith.contracts import Address, Step
from tunesmith.verbs.supervision import supervise


def run(step: Step) -> None:
    """Serve until the step is cancelled."""
    settings, model = step.settings, step.inputs["model"]
    name, address = settings.name or step.name, Address(settings.host, settings.port)
    backend = step.provider("inference_backend")
    if hasattr(backend, "serve"):
        backend.serve(model, name, address, step)
    else:
        supervise(lambda place: backend.engine(model, name, place, step), name, address, step)
