"""A good minimal device backend: one processor."""

from tunesmith.contracts import Device


class Provider:
    def probe(self):
        return [Device("processor", 1000, 500, 1)]


def self_test(backend, torch_name, devices):
    import torch

    for device in devices:
        for dtype in device.dtypes:
            rows = torch.arange(6, device=torch_name, dtype=getattr(torch, dtype)).reshape(2, 3)
            right = (rows @ rows.T).sum().item() == 83
            why = "" if right else "it is not 83"
            yield {"device": device.name, "operator": "product", "shape": "two rows", "dtype": dtype, "passed": right, "why": why}
