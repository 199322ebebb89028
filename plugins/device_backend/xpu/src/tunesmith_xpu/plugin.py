"""What tunesmith-xpu brings: the device backend `xpu`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def device_backend():
    facts = {"torch": "xpu", "visible": "ZE_AFFINITY_MASK", "self_test": "tunesmith_devices.self_test:run"}
    return Provider("xpu", "Intel GPUs", "tunesmith_xpu.device:Xpu", facts=facts, priority=10)
