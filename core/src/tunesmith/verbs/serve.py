"""The verb ``serve``: a service, up for as long as its step runs."""

from __future__ import annotations

from tunesmith.contracts import Address, Step


def run(step: Step) -> None:
    """Serve until the step is cancelled."""
    settings = step.settings
    address = Address(settings.host, settings.port)
    step.provider("inference_backend").serve(step.inputs["model"], settings.name or step.name, address, step)
