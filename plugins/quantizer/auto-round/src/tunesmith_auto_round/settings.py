"""Settings of the quantizer `auto-round`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_quantization import group_size_setting, length_setting, rows_setting


@dataclass(frozen=True)
class AutoRoundSettings:
    bits: int = setting(4, "bits of a weight; engines run 4 and 8, few run 2", choices=(2, 4, 8), aliases=("w_bit",))
    group_size: int = group_size_setting(whole_rows=True)
    iters: int = setting(200, "optimizer steps in which a layer's rounding is trained; time grows with it", ge=1)
    learning_rate: float = setting(0.0, "of the steps along the signs of the gradients; 0: 1 / `iters`", ge=0, aliases=("lr",))
    enable_minmax_tuning: bool = setting(True, "train where the levels begin and end, too, not the rounding alone")
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = length_setting(512)
    batch_size: int = setting(8, "sequences of an optimizer step", ge=1)
