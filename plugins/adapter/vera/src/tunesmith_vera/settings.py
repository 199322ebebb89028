"""Settings of the adapter `vera`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class VeraSettings:
    r: int = setting(256, "rank of the shared random matrices; it costs little, so take more than with LoRA", ge=1, aliases=("rank",))
    d_initial: float = setting(0.1, "what the vector between the two random matrices begins as; 0.1 or less", gt=0)
    projection_prng_key: int = setting(0, "which random matrices: the same key gives the same ones on any machine", ge=0)
    save_projection: bool = setting(
        True, "write the random matrices into the artifact, too, instead of drawing them anew where it is loaded"
    )
    vera_dropout: float = setting(0.0, "share of the update's inputs dropped while training", ge=0, lt=1, aliases=("dropout",))
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip
