"""What tunesmith-mps brings: the device backend `mps`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def device_backend():
    facts = {"torch": "mps", "self_test": "tunesmith_devices.self_test:run"}
    return Provider("mps", "the GPU of a Mac with Apple silicon", "tunesmith_mps.device:Mps", facts=facts, priority=10)
