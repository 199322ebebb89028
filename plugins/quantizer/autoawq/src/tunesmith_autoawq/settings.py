"""Settings of the quantizer and of the exporter `autoawq`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_quantization import rows_setting


@dataclass(frozen=True)
class AutoAwqSettings:
    group_size: int = setting(
        0,
        "weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128",
        choices=(0, 16, 32, 64, 128, 256),
        aliases=("q_group_size",),
    )
    apply_clip: bool = setting(
        True, "look for the range that weights are best clipped to; left out where a matrix's rows are no multiple of 64"
    )
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = setting(
        512, "tokens of a sequence that rows are joined to", ge=16, aliases=("max_length", "seqlen", "max_calib_seq_len")
    )


@dataclass(frozen=True)
class DequantizerSettings:
    dtype: str = setting(
        "float16",
        "precision of the weights that are written: float16 is what such checkpoints compute in",
        choices=("float16", "bfloat16", "float32"),
        aliases=("torch_dtype",),
    )
