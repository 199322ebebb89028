"""Settings of the quantizer `auto-round`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class AutoRoundSettings:
    bits: int = setting(4, "bits of a weight; engines run 4 and 8, few run 2", choices=(2, 4, 8), aliases=("w_bit",))
    group_size: int = setting(
        0, "weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128; -1: the whole row",
        choices=(-1, 0, 16, 32, 64, 128, 256, 512, 1024), aliases=("q_group_size",),
    )  # fmt: skip
    iters: int = setting(200, "optimizer steps in which a layer's rounding is trained; time grows with it", ge=1)
    learning_rate: float = setting(0.0, "of the steps along the signs of the gradients; 0: 1 / `iters`", ge=0, aliases=("lr",))
    enable_minmax_tuning: bool = setting(True, "train where the levels begin and end, too, not the rounding alone")
    num_calibration_samples: int = setting(
        128, "rows to calibrate on, the first of the data", ge=1, aliases=("nsamples", "max_calib_samples")
    )
    max_seq_length: int = setting(
        512, "tokens of a sequence; rows are joined to sequences, so that none is padded", ge=16,
        aliases=("max_length", "seqlen", "max_calib_seq_len"),
    )  # fmt: skip
    batch_size: int = setting(8, "sequences of an optimizer step", ge=1)
