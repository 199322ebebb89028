"""Settings of the quantizer `gptq`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_quantization import group_size_setting, rows_setting


@dataclass(frozen=True)
class GptqSettings:
    bits: int = setting(4, "bits of a weight; engines run 4 and 8, few run 2 and 3", choices=(2, 3, 4, 8), aliases=("w_bit",))
    group_size: int = group_size_setting(whole_rows=True)
    desc_act: bool = setting(
        False,
        "quantize columns in the order of their activations: a little better, slower to run, not for every engine",
        aliases=("actorder",),
    )
    sym: bool = setting(True, "levels symmetric around zero; engines' quick kernels want that", aliases=("symmetric",))
    damp_percent: float = setting(
        0.05,
        "share of the Hessian's mean diagonal that is added to it; raised by itself where it is not enough",
        gt=0,
        lt=1,
        aliases=("dampening_frac",),
    )
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = setting(512, "tokens that are read of a row", ge=16, aliases=("max_length", "seqlen", "max_calib_seq_len"))
    batch_size: int = setting(4, "rows that run through the model at once", ge=1, effect={"call": "torch.nn.functional:embedding"})
