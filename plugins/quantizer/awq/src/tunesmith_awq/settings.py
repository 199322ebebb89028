"""Settings of the quantizer `awq`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class AwqSettings:
    bits: int = setting(4, "bits of a weight", choices=(4, 8), aliases=("w_bit",))
    group_size: int = setting(
        0,
        "weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128",
        choices=(0, 16, 32, 64, 128, 256, 512, 1024),
        aliases=("q_group_size",),
    )
    sym: bool = setting(
        False, "levels symmetric around zero: a little less exact, for engines that take nothing else", aliases=("symmetric",)
    )
    duo_scaling: bool = setting(True, "channels are scaled by their weights, too, not by what they read alone")
    n_grid: int = setting(20, "strengths of the scaling that are tried for each group of matrices", ge=1)
    num_calibration_samples: int = setting(
        64, "rows to calibrate on, the first of the data", ge=1, aliases=("nsamples", "max_calib_samples")
    )
    max_seq_length: int = setting(
        256,
        "tokens of a sequence; rows are joined to sequences, so that none is padded",
        ge=16,
        aliases=("max_length", "seqlen", "max_calib_seq_len"),
    )
    batch_size: int = setting(
        8, "sequences that run through the model at once", ge=1,
        effect={"with": {"max_seq_length": 16}, "call": "torch.nn.functional:linear"},
    )  # fmt: skip
