"""The exporter: each matrix is unpacked by AutoGPTQ's own code; no architecture has to be known to it.

w = scale_g (q - zero_g)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from auto_gptq.nn_modules.qlinear.qlinear_cuda import QuantLinear

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_auto_gptq.settings import DequantizerSettings
from tunesmith_models.packed_matrices import read_packing, unpack_matrices, write_plain

NEEDED = ("qweight", "qzeros", "scales")  # what a matrix is kept as, in place of `weight`
ORDER = "g_idx"  # beside them, in some checkpoints


class Dequantizer:
    def __init__(self, settings: DequantizerSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Unpack every matrix and write a plain checkpoint.

        Raises:
            UserError: TS-MODEL-008 or -022 when it is not whole; TS-QUANT-004 when AutoGPTQ does not unpack here how it is packed.
        """
        config, packing = read_packing(source.path, "quantize_config.json")
        _check(packing)
        tensors, matrices = unpack_matrices(
            source.path, step, partial(_unpacked, packing), dtype=self.settings.dtype, needed=NEEDED, optional=(ORDER,)
        )
        for name in _added(source.path, matrices, tensors):
            del tensors[name]
        result = write_plain(source.path, output, config, tensors, self.settings.dtype)
        return replace(result, meta={"matrices": len(matrices)})


def _check(packing: dict[str, object]) -> None:
    layout = str(packing.get("checkpoint_format", "gptq"))
    if layout != "gptq" or packing.get("is_marlin_format"):
        raise _unreadable(f"is packed for `{'marlin' if packing.get('is_marlin_format') else layout}`", "Use one in the format `gptq`.")


def _added(directory: Path, matrices: list[str], tensors: dict[str, torch.Tensor]) -> list[str]:
    """Biases of zeros that AutoGPTQ gives every matrix, whether or not the architecture has one there.

    Of an architecture that the library does not know, all of zeros count as such.
    """
    zeros = [name for name in (f"{matrix}.bias" for matrix in matrices) if name in tensors and not tensors[name].any()]
    try:
        with torch.device("meta"):
            known = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(directory, local_files_only=True))
    except (ValueError, KeyError, OSError, TypeError, AttributeError):
        return zeros
    return [name for name in zeros if name not in known.state_dict()]


@torch.no_grad()
def _unpacked(packing: Mapping[str, object], parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """What the library's layer computes of the unit vectors is its matrix."""
    bits, group = int(str(packing["bits"])), int(str(packing["group_size"]))
    columns, rows = parts["qweight"].shape[0] * 32 // bits, parts["qweight"].shape[1]
    layer = QuantLinear(bits, group, columns, rows, bias=False, weight_dtype=torch.float32)
    layer.load_state_dict({name: part.float() if name == "scales" else part for name, part in parts.items()}, strict=False)
    return layer(torch.eye(columns)).T


def _unreadable(what: str, fix: str) -> UserError:
    return UserError("TS-QUANT-004", f"The checkpoint {what}, which AutoGPTQ does not unpack here", fix=fix)
