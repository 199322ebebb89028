"""Settings of the adapter `boft`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class BoftSettings:
    boft_block_size: int = setting(
        4, "inputs that are turned together; it has to divide the inputs of every layer", ge=2, aliases=("block_size",)
    )
    boft_n_butterfly_factor: int = setting(
        1, "how many block-diagonal turns follow one another, each over other inputs; more than one need a CUDA device, its compiler and "
        "ninja, with which PEFT builds a kernel", ge=1, aliases=("n_butterfly_factor",),
    )  # fmt: skip
    boft_dropout: float = setting(0.0, "share of the blocks that are left as they are while training", ge=0, lt=1, aliases=("dropout",))
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip
