"""Settings that quantizers have in common, each with the same words and the same other names."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts.settings import setting

GROUP_SIZES = (0, 16, 32, 64, 128, 256, 512, 1024)


def group_size_setting(*, whole_rows: bool = False) -> Any:
    """
    Args:
        whole_rows: whether -1, one scale a row, is taken, too.
    """
    most = "; -1: the whole row" if whole_rows else ""
    return setting(
        0, f"weights of a row that share a scale, a divisor of the columns of all matrices; 0: the largest up to 128{most}",
        choices=(-1, *GROUP_SIZES) if whole_rows else GROUP_SIZES, aliases=("q_group_size",),
    )  # fmt: skip


def rows_setting(default: int) -> Any:
    """How many rows it calibrates on."""
    return setting(
        default, "rows to calibrate on, drawn from the data by the step's seed", ge=1, aliases=("nsamples", "max_calib_samples")
    )  # fmt: skip


def length_setting(default: int) -> Any:
    """How long the sequences are that rows are joined to."""
    return setting(
        default, "tokens of a sequence; rows are joined to sequences, so that none is padded", ge=16,
        aliases=("max_length", "seqlen", "max_calib_seq_len"),
    )  # fmt: skip
