"""What tunesmith-rocm brings: the device backend `rocm`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def device_backend():
    # PyTorch for ROCm calls its devices `cuda`
    facts = {"torch": "cuda", "visible": "HIP_VISIBLE_DEVICES", "self_test": "tunesmith_devices.self_test:run"}
    return Provider("rocm", "AMD GPUs", "tunesmith_rocm.device:Rocm", facts=facts, priority=10)
