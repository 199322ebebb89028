"""NVIDIA cards as data, for estimates on machines that are not here: memory in MiB as nvidia-smi tells it, and compute capability."""

from __future__ import annotations

from tunesmith_cuda.dtypes import types_of

#: name -> (MiB, compute capability), the most usual first
CARDS = {
    "A100-80GB": (81920, (8, 0)), "A100-40GB": (40960, (8, 0)), "H100-80GB": (81559, (9, 0)), "H100-NVL": (95830, (9, 0)),
    "H200": (143771, (9, 0)), "H20": (97871, (9, 0)), "B200": (183359, (10, 0)), "A800-80GB": (81920, (8, 0)), "H800": (81559, (9, 0)),
    "A10": (23028, (8, 6)), "A10G": (23028, (8, 6)), "A16": (15356, (8, 6)), "A2": (15356, (8, 6)), "A30": (24576, (8, 0)),
    "A40": (46068, (8, 6)), "L4": (23034, (8, 9)), "L20": (46068, (8, 9)), "L40": (46068, (8, 9)), "L40S": (46068, (8, 9)),
    "T4": (15360, (7, 5)), "V100-16GB": (16384, (7, 0)), "V100-32GB": (32768, (7, 0)), "P40": (24576, (6, 1)), "P100-16GB": (16384, (6, 0)),
    "RTX 3060": (12288, (8, 6)), "RTX 3080": (10240, (8, 6)), "RTX 3090": (24576, (8, 6)), "RTX 4060 Ti 16GB": (16380, (8, 9)),
    "RTX 4070": (12282, (8, 9)), "RTX 4080": (16376, (8, 9)), "RTX 4090": (24564, (8, 9)), "RTX 5080": (16303, (12, 0)),
    "RTX 5090": (32607, (12, 0)), "RTX 2080 Ti": (11264, (7, 5)), "RTX A4000": (16376, (8, 6)), "RTX A5000": (24564, (8, 6)),
    "RTX A6000": (49140, (8, 6)), "RTX 6000 Ada": (49140, (8, 9)), "RTX PRO 6000": (97887, (12, 0)),
}  # fmt: skip


def catalogue() -> dict[str, dict[str, object]]:
    """The fact `cards` of the device backend."""
    return {name: {"mib": mib, "dtypes": list(types_of(capability))} for name, (mib, capability) in CARDS.items()}
