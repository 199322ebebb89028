"""Settings of the quantizer `awq`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_quantization import group_size_setting, length_setting, rows_setting


@dataclass(frozen=True)
class AwqSettings:
    bits: int = setting(4, "bits of a weight", choices=(4, 8), aliases=("w_bit",))
    group_size: int = group_size_setting()
    sym: bool = setting(
        False, "levels symmetric around zero: a little less exact, for engines that take nothing else", aliases=("symmetric",)
    )
    duo_scaling: bool = setting(True, "channels are scaled by their weights, too, not by what they read alone")
    n_grid: int = setting(20, "strengths of the scaling that are tried for each group of matrices", ge=1)
    num_calibration_samples: int = rows_setting(64)
    max_seq_length: int = length_setting(256)
    batch_size: int = setting(
        8, "sequences that run through the model at once", ge=1,
        effect={"with": {"max_seq_length": 16}, "call": "torch.nn.functional:linear"},
    )  # fmt: skip
