"""Settings of the quantizer `compressed-tensors`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_compressed_tensors.schemes import SCHEMES
from tunesmith_quantization import length_setting, rows_setting


@dataclass(frozen=True)
class CompressedTensorsSettings:
    scheme: str = setting(
        "W4A16", "bits of weights (W) and activations (A); FP8: both in float8; FP8_DYNAMIC: scales of activations are found while serving",
        choices=tuple(SCHEMES),
    )  # fmt: skip
    algorithm: str = setting(
        "gptq", "how weights are rounded: by what their layers read on the rows (gptq), or each alone (rtn)", choices=("gptq", "rtn")
    )
    group_size: int = setting(
        0, "weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128; for W4A16 and W8A16",
        choices=(0, 16, 32, 64, 128, 256, 512, 1024), aliases=("q_group_size",),
    )  # fmt: skip
    damp_percent: float = setting(
        0.01, "share of the Hessian's mean diagonal that is added to it, by gptq", gt=0, lt=1, aliases=("dampening_frac",)
    )
    kv_cache_dtype: str = setting(
        "auto", "dtype of the KV cache that engines are told to keep; fp8: with scales from the rows", choices=("auto", "fp8")
    )
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = length_setting(512)
    batch_size: int = setting(
        8, "sequences that run through the model at once", ge=1,
        effect={"with": {"max_seq_length": 16}, "call": "torch.nn.functional:linear"},
    )  # fmt: skip
