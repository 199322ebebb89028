"""What PEFT compiles by itself."""

from __future__ import annotations

from typing import Any

from peft.tuners.boft import layer as boft

from tunesmith.contracts import UserError


def sparing(config: Any) -> None:
    """Keep PEFT from compiling its CUDA kernel for BOFT where plain PyTorch does: a build that is killed leaves a lock behind, at which
    every later process waits for ever."""
    if config.peft_type == "BOFT" and config.boft_n_butterfly_factor == 1:
        boft._FBD_CUDA = False


def compiled(config: Any, layers: Any) -> None:
    """Where PEFT could not compile its kernel it takes one butterfly factor instead of those asked for.

    Raises:
        UserError: TS-TRAIN-032.
    """
    for layer in layers if config.peft_type == "BOFT" else ():
        if isinstance(layer, boft.BOFTLayer) and len(layer.boft_R["default"]) != config.boft_n_butterfly_factor:
            raise UserError(
                "TS-TRAIN-032", f"PEFT can't put {config.boft_n_butterfly_factor} butterfly factors on a layer here",
                why="More than one need a kernel that PEFT compiles: a CUDA device, its compiler and ninja.",
                fix="Use one factor with larger blocks, which turns the inputs as freely.",
            )  # fmt: skip
