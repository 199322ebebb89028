"""What the conformance kit can't know: a model in a registry. It is the tests' own, slow enough for a download to be in the middle of."""

import dataclasses
import os
from functools import cache

from oci_server import OCIServer

from tunesmith.errors import UserError
from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.loopback_hub import STRANGERS

SIZE = 2_000_000  # bytes of weights: 31 chunks
PAUSE = 0.05  # seconds between two chunks
SLOW = 6  # requests of a process that are answered so: those of the first downloads, in which it is stopped or killed


@cache
def hub() -> OCIServer:
    """One for the whole process, which ends it."""
    server = OCIServer().__enter__()
    server.add("org/small", model_files(SIZE))
    server.fault("model.safetensors", times=SLOW, delay=PAUSE)
    return server


def uri(case) -> str:
    """With a cache of the step's own, which a killed one leaves to the next."""
    for variable in STRANGERS:
        os.environ.pop(variable, None)
    os.environ.update(TUNESMITH_OCI_ENDPOINT=hub().url, DOCKER_CONFIG=str(case.kept), TUNESMITH_CACHE=str(case.kept / "cache"))
    return "oci://registry.example/org/small"


def scene(case, setting, step, build):
    """A registry that fails twice: how long is waited before it is asked again. Or one that is not there, and mirrors."""
    address, waits, loader = uri(case), [], build()
    step.wait_cancelled = lambda seconds=None: waits.append(seconds) or False
    if setting == "mirrors":
        mirrors = (hub().url,) * len(loader.settings.mirrors)
        gone = dataclasses.replace(loader.settings, endpoint="http://127.0.0.1:9", mirrors=mirrors, max_retries=0)
        try:
            return {"revision": type(loader)(gone).resolve(address, step).revision}
        except UserError as error:
            return {"error": error.code}
    hub().faults[:] = [fault for fault in hub().faults if fault.file != "api"]
    hub().fault("api", times=2, status=503)
    return {"revision": loader.resolve(address, step).revision, "waits": waits}
