"""What tunesmith-cpu brings: the device backend `cpu`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def device_backend():
    facts = {"torch": "cpu", "measure": "tunesmith_cpu.measure:measure", "self_test": "tunesmith_devices.self_test:run"}
    return Provider("cpu", "the processor", "tunesmith_cpu.device:Cpu", facts=facts)
