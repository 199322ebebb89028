"""Settings of the quantizer and of the exporter `auto-gptq`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_quantization import rows_setting


@dataclass(frozen=True)
class AutoGptqSettings:
    bits: int = setting(4, "bits of a weight", choices=(2, 3, 4, 8), aliases=("w_bit",))
    group_size: int = setting(
        0, "weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128; -1: the whole row",
        choices=(-1, 0, 16, 32, 64, 128, 256, 512, 1024), aliases=("q_group_size",),
    )  # fmt: skip
    desc_act: bool = setting(False, "quantize columns in the order of their activations", aliases=("actorder",))
    sym: bool = setting(True, "levels symmetric around zero", aliases=("symmetric",))
    damp_percent: float = setting(0.01, "share of the Hessian's mean diagonal that is added to it", gt=0, lt=1, aliases=("dampening_frac",))
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = setting(512, "tokens that are read of a row", ge=16, aliases=("max_length", "seqlen", "max_calib_seq_len"))
    batch_size: int = setting(4, "rows that run through the model at once", ge=1)


@dataclass(frozen=True)
class DequantizerSettings:
    dtype: str = setting(
        "float16",
        "precision of the weights that are written: float16 is what such checkpoints compute in",
        choices=("float16", "bfloat16", "float32"),
        aliases=("torch_dtype",),
    )
