"""What quantizers share that keep one scale for a group of weights.

    w' = scale_g (q - zero_g),  g = column // group_size

so a group size must divide the columns of every matrix that is quantized, which its model's config tells before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tunesmith.errors import UserError

if TYPE_CHECKING:
    from tunesmith_models import ModelShape

SIZES = (16, 32, 64, 128, 256, 512, 1024)  #: group sizes that are looked at
USUAL = 128  #: what nearly all quantized models have


def fitting_group_size(shape: ModelShape | None, wanted: int, sizes: Iterable[int] = SIZES) -> int:
    """The group size to quantize with: the one that is wanted if it fits, for 0 the largest up to 128 that does.

    Args:
        shape: the model's sizes; None, where they are unknown, is left to the library.
        wanted: -1, a group as long as its row, always fits.
        sizes: those that the library's format takes, in ascending order.

    Raises:
        UserError: TS-QUANT-001 when it does not fit, or none does.
    """
    columns = sorted({linear.inputs for linear in shape.linears}) if shape else []
    fitting = [size for size in sizes if not any(count % size for count in columns)]
    usual = [size for size in fitting if size <= USUAL]
    if not wanted and usual:
        return usual[-1]
    wanted = wanted or USUAL
    refusing = [count for count in columns if wanted > 0 and count % wanted]
    if not refusing:
        return wanted
    each = ", ".join(str(count) for count in refusing)
    raise UserError(
        "TS-QUANT-001", f"The group size {wanted} does not divide the model's matrices, which have {each} columns",
        why="Each group of weights in a row has a scale of its own, and there are no smaller groups at its end.",
        fix=f"Write `group_size: {fitting[-1]}`." + (f" These fit, too: {', '.join(map(str, fitting[:-1]))}." if fitting[1:] else "")
        if fitting else "Write `group_size: -1` (one scale a row), if the quantizer takes that, or use another quantizer.",
    )  # fmt: skip
