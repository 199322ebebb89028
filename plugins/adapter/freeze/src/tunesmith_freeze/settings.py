"""Settings of the adapter `freeze`: those of `full`, and what trains."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_full.api import FullSettings


@dataclass(frozen=True)
class FreezeSettings(FullSettings):
    trainable_layers: int = setting(
        2, "how many of the last layers train; 0: none but what `trainable_modules` names", ge=0, aliases=("freeze_trainable_layers",)
    )
    trainable_modules: list[str] = setting(
        [], "further parts that train, by name or the end of it after a dot: a kind of block in every layer (`mlp`), or one (`layers.0`)",
        examples=(["mlp"], ["layers.0.self_attn", "norm"]), aliases=("freeze_extra_modules",),
    )  # fmt: skip
    train_embeddings: bool = setting(
        False, "train the tokens' embeddings, too; in a model that shares them with the output head, also that"
    )
    train_lm_head: bool = setting(False, "train the output head, too; in a model that shares it with the embeddings, also those")
