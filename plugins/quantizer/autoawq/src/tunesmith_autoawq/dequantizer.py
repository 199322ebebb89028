"""The exporter: each matrix is unpacked by AutoAWQ's own code; no architecture has to be known to it.

w = scale_g (q - zero_g)
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from awq.utils.packing_utils import dequantize_gemm
from huggingface_hub import save_torch_state_dict
from safetensors import safe_open

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_autoawq.settings import DequantizerSettings
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.safetensors import check_files
from tunesmith_models.weight_check import check_tensors

PACKED = ("qweight", "qzeros", "scales")  # what a matrix is kept as, in place of `weight`


class Dequantizer:
    def __init__(self, settings: DequantizerSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Unpack every matrix and write a plain checkpoint.

        Raises:
            UserError: TS-MODEL-008 or -022 when it is not whole; TS-QUANT-004 when it is packed in a way that AutoAWQ does not unpack here.
        """
        config = json.loads((source.path / "config.json").read_text("utf-8"))
        packing = config.pop("quantization_config", None) or json.loads(
            (source.path / "quant_config.json").read_text("utf-8")
        )  # older ones
        _check(packing)
        check_files(source.path)
        dtype = getattr(torch, self.settings.dtype)
        tensors: dict[str, torch.Tensor] = {}
        with ExitStack() as stack:
            files = [stack.enter_context(safe_open(path, "pt")) for path in sorted(source.path.glob("*.safetensors"))]
            where = {name: file for file in files for name in file.keys()}  # noqa: SIM118
            matrices = sorted(name.removesuffix(".qweight") for name in where if name.endswith(".qweight"))
            parts_of = [f"{matrix}.{part}" for matrix in matrices for part in PACKED]
            check_tensors(source.path, missing=[name for name in parts_of if name not in where])
            for done, matrix in enumerate(matrices):
                step.check_cancelled()
                parts = {part: where[f"{matrix}.{part}"].get_tensor(f"{matrix}.{part}") for part in PACKED if f"{matrix}.{part}" in where}
                tensors[f"{matrix}.weight"] = _unpacked(parts, packing).to(dtype).contiguous()
                step.progress(done + 1, len(matrices), what="unpacking", unit="matrices")
            for name, file in where.items():
                if name.rpartition(".")[2] not in PACKED or name.rpartition(".")[0] not in matrices:
                    tensors[name] = file.get_tensor(name).to(dtype)
        save_torch_state_dict(dict(sorted(tensors.items())), output, max_shard_size="5GB")
        config |= {"torch_dtype": self.settings.dtype, "dtype": self.settings.dtype}
        (output / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        copy_beside(source.path, output)
        return Result(metrics={"bytes": float(weights_size(output))}, meta={"matrices": len(matrices)})


def _check(packing: dict[str, object]) -> None:
    layout, bits = str(packing.get("version", "gemm")).lower(), packing.get("bits", packing.get("w_bit"))
    if layout != "gemm" or bits != 4:
        raise _unreadable(f"is packed for `{layout}` in {bits} bits", "Use one that was written with `version: GEMM` and 4 bits.")


def _unpacked(parts: dict[str, torch.Tensor], packing: dict[str, object]) -> torch.Tensor:
    group = parts["qweight"].shape[0] // parts["scales"].shape[0]
    weight: torch.Tensor = dequantize_gemm(parts["qweight"], parts["qzeros"], parts["scales"].float(), 4, group)
    return weight.T


def _unreadable(what: str, fix: str) -> UserError:
    return UserError("TS-QUANT-004", f"The checkpoint {what}, which AutoAWQ does not unpack here", fix=fix)
