"""Settings of the adapter `oft`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class OftSettings:
    oft_block_size: int = setting(
        32,
        "inputs that are turned together; it has to divide the inputs of every layer, and more learns more",
        ge=2,
        aliases=("block_size",),
    )
    block_share: bool = setting(False, "the same turn for all blocks of a layer: fewer parameters")
    use_cayley_neumann: bool = setting(True, "compute the turn by a series of five terms; false: by solving for it, exact and slower")
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip
