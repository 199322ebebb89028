"""Settings of the adapter `lora`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class LoraSettings:
    r: int = setting(16, "rank of the update: how many directions each matrix can move in", ge=1, aliases=("rank", "lora_r", "lora_rank"))
    lora_alpha: float = setting(32.0, "the update is scaled by alpha / r", gt=0, aliases=("alpha",))
    use_rslora: bool = setting(
        False, "scale by alpha / sqrt(r) instead, so that a larger rank learns no slower (rsLoRA)", aliases=("rslora",)
    )
    init_lora_weights: str = setting(
        "kaiming", "where the update begins. kaiming: at nothing, in random directions. pissa: in the largest singular directions of each "
        "matrix, which learns faster; saved as a plain LoRA of twice the rank. eva: in the directions in which a layer's inputs "
        "vary most over the training data, with more rank where more directions matter", choices=("kaiming", "pissa", "eva"),
        aliases=("init_weights",),
    )  # fmt: skip
    eva_rho: float = setting(
        2.0, "with `init_lora_weights: eva`: a layer may get up to so many times `r`, taken from layers that need less; "
        "1: each keeps `r`", ge=1,
        effect={"with": {"init_lora_weights": "eva"}}, aliases=("rho",),
    )  # fmt: skip
    loraplus_lr_ratio: float = setting(
        1.0,
        "learning rate of B as a multiple of A's (LoRA+): its authors find that wide models learn faster with 4 to 16",
        gt=0,
        aliases=("lora_plus_lr_ratio", "lorap_lr_ratio"),
    )
    lora_dropout: float = setting(0.0, "share of the update's inputs dropped while training", ge=0, lt=1, aliases=("dropout",))
    target_modules: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`), and of experts' matrices that are one "
        "parameter (`experts.down_proj`); `all-linear`: all but the output head, experts only without dropout",
        examples=(["q_proj", "v_proj"],), aliases=("targets", "lora_target"),
    )  # fmt: skip
