"""What tunesmith-cuda brings: the device backend `cuda`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_cuda.device_catalog import catalogue


@hookimpl
def device_backend():
    facts = {"torch": "cuda", "visible": "CUDA_VISIBLE_DEVICES", "cards": catalogue(), "self_test": "tunesmith_devices.self_test:run"}
    return Provider("cuda", "NVIDIA GPUs", "tunesmith_cuda.device:Cuda", facts=facts, priority=10)
