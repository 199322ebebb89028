"""Settings of the adapter `ia3`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class Ia3Settings:
    target_modules: list[str] = setting(
        ["k_proj", "v_proj", "down_proj"], "names of the linear layers to scale; as in the paper: keys, values, and the way out of the "
        "feed-forward part (other architectures: `dense_h_to_4h`, `c_proj` ...)", examples=(["all-linear"],), aliases=("targets",
        "lora_target"),
    )  # fmt: skip
    feedforward_modules: list[str] = setting(["down_proj"], "those of the targets whose inputs are scaled instead of their outputs")
