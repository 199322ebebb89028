"""The exporter: each matrix is unpacked by AutoGPTQ's own code; no architecture has to be known to it.

w = scale_g (q - zero_g)
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from auto_gptq.nn_modules.qlinear.qlinear_cuda import QuantLinear
from huggingface_hub import save_torch_state_dict
from safetensors import safe_open

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_auto_gptq.settings import DequantizerSettings
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.safetensors import check_files
from tunesmith_models.weight_check import check_tensors

NEEDED = ("qweight", "qzeros", "scales")
PACKED = (*NEEDED, "g_idx")  # what a matrix is kept as, in place of `weight`; the last is not in every checkpoint


class Dequantizer:
    def __init__(self, settings: DequantizerSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Unpack every matrix and write a plain checkpoint.

        Raises:
            UserError: TS-MODEL-008 or -022 when it is not whole; TS-QUANT-004 when AutoGPTQ does not unpack here how it is packed.
        """
        config = json.loads((source.path / "config.json").read_text("utf-8"))
        packing = config.pop("quantization_config", None) or json.loads(
            (source.path / "quantize_config.json").read_text("utf-8")
        )  # older ones
        _check(packing)
        check_files(source.path)
        dtype = getattr(torch, self.settings.dtype)
        tensors: dict[str, torch.Tensor] = {}
        with ExitStack() as stack:
            files = [stack.enter_context(safe_open(path, "pt")) for path in sorted(source.path.glob("*.safetensors"))]
            where = {name: file for file in files for name in file.keys()}  # noqa: SIM118
            matrices = sorted(name.removesuffix(".qweight") for name in where if name.endswith(".qweight"))
            parts_of = [f"{matrix}.{part}" for matrix in matrices for part in NEEDED]
            check_tensors(source.path, missing=[name for name in parts_of if name not in where])
            for done, matrix in enumerate(matrices):
                step.check_cancelled()
                parts = {part: where[f"{matrix}.{part}"].get_tensor(f"{matrix}.{part}") for part in PACKED if f"{matrix}.{part}" in where}
                tensors[f"{matrix}.weight"] = _unpacked(parts, packing).to(dtype).contiguous()
                step.progress(done + 1, len(matrices), what="unpacking", unit="matrices")
            for name, file in where.items():
                if name.rpartition(".")[2] not in PACKED or name.rpartition(".")[0] not in matrices:
                    tensors[name] = file.get_tensor(name).to(dtype)
        for name in _added(source.path, matrices, tensors):
            del tensors[name]
        save_torch_state_dict(dict(sorted(tensors.items())), output, max_shard_size="5GB")
        config |= {"torch_dtype": self.settings.dtype, "dtype": self.settings.dtype}
        (output / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        copy_beside(source.path, output)
        return Result(metrics={"bytes": float(weights_size(output))}, meta={"matrices": len(matrices)})


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
def _unpacked(parts: dict[str, torch.Tensor], packing: dict[str, object]) -> torch.Tensor:
    """What the library's layer computes of the unit vectors is its matrix."""
    bits, group = int(str(packing["bits"])), int(str(packing["group_size"]))
    columns, rows = parts["qweight"].shape[0] * 32 // bits, parts["qweight"].shape[1]
    layer = QuantLinear(bits, group, columns, rows, bias=False, weight_dtype=torch.float32)
    layer.load_state_dict({name: part.float() if name == "scales" else part for name, part in parts.items()}, strict=False)
    return layer(torch.eye(columns)).T


def _unreadable(what: str, fix: str) -> UserError:
    return UserError("TS-QUANT-004", f"The checkpoint {what}, which AutoGPTQ does not unpack here", fix=fix)
