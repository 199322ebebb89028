"""The ports that a run will listen on, tried before anything is computed: hours of training must not end at a port in use."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import ExitStack

from tunesmith.contracts.port_in_use import listen, not_free
from tunesmith.planning.plan import Plan

PATIENCE = 2.0  # seconds: a service whose host was killed is on its way out


def check_ports(plan: Plan) -> None:
    """Listen for a moment wherever the plan's last services will.

    Raises:
        UserError: TS-SERVE-001 when that is not possible.
    """
    read = {source.step for step in plan.steps for source in step.inputs.values()}
    until = time.monotonic() + PATIENCE
    with ExitStack() as held:
        for step in plan.steps:
            if step.verb.service and step.name not in read and step.settings.get("port"):
                held.enter_context(_listening(step.name, str(step.settings.get("host") or "127.0.0.1"), step.settings["port"], until))


def _listening(step: str, host: str, port: int, until: float) -> socket.socket:
    while True:
        try:
            return listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise not_free(host, port, error, step) from None
            time.sleep(0.1)
