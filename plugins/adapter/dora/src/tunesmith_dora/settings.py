"""Settings of the adapter `dora`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class DoraSettings:
    r: int = setting(16, "rank of the update of the rows' directions", ge=1, aliases=("rank", "lora_r", "lora_rank"))
    lora_alpha: float = setting(32.0, "the update is scaled by alpha / r", gt=0, aliases=("alpha",))
    use_rslora: bool = setting(
        False, "scale by alpha / sqrt(r) instead, so that a larger rank learns no slower (rsLoRA)", aliases=("rslora",)
    )
    lora_dropout: float = setting(0.0, "share of the update's inputs dropped while training", ge=0, lt=1, aliases=("dropout",))
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip
