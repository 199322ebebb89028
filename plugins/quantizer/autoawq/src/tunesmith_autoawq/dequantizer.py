"""The exporter: each matrix is unpacked by AutoAWQ's own code; no architecture has to be known to it.

w = scale_g (q - zero_g)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from awq.utils.packing_utils import dequantize_gemm

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_autoawq.settings import DequantizerSettings
from tunesmith_models.packed_matrices import read_packing, unpack_matrices, write_plain

PACKED = ("qweight", "qzeros", "scales")  # what a matrix is kept as, in place of `weight`


class Dequantizer:
    def __init__(self, settings: DequantizerSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Unpack every matrix and write a plain checkpoint.

        Raises:
            UserError: TS-MODEL-008 or -022 when it is not whole; TS-QUANT-004 when it is packed in a way that AutoAWQ does not unpack here.
        """
        config, packing = read_packing(source.path, "quant_config.json")
        _check(packing)
        tensors, matrices = unpack_matrices(source.path, step, _unpacked, dtype=self.settings.dtype, needed=PACKED)
        result = write_plain(source.path, output, config, tensors, self.settings.dtype)
        return replace(result, meta={"matrices": len(matrices)})


def _check(packing: dict[str, object]) -> None:
    layout, bits = str(packing.get("version", "gemm")).lower(), packing.get("bits", packing.get("w_bit"))
    if layout != "gemm" or bits != 4:
        raise _unreadable(f"is packed for `{layout}` in {bits} bits", "Use one that was written with `version: GEMM` and 4 bits.")


def _unpacked(parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    group = parts["qweight"].shape[0] // parts["scales"].shape[0]
    weight: torch.Tensor = dequantize_gemm(parts["qweight"], parts["qzeros"], parts["scales"].float(), 4, group)
    return weight.T


def _unreadable(what: str, fix: str) -> UserError:
    return UserError("TS-QUANT-004", f"The checkpoint {what}, which AutoAWQ does not unpack here", fix=fix)
