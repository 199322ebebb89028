"""What the conformance kit can't know: a model in a registry. It is the tests' own, slow enough for a download to be in the middle of."""

import os
from functools import cache

from oci_server import OCIServer

from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.hub_scenes import failing_hub
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
    return failing_hub(hub(), uri(case), setting, step, build)
