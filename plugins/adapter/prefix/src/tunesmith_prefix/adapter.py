"""The adapter `prefix`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tunesmith_prefix import kv_cache, prefix_encoder
from tunesmith_prefix.settings import PrefixSettings
from tunesmith_prompt.api import files, unmergeable, virtual_tokens


class Prefix:
    """Keys and values before every sequence; they train, or the network that makes them, nothing else."""

    peft_type = "PREFIX_TUNING"

    def __init__(self, settings: PrefixSettings) -> None:
        self.settings = settings

    def attach(self, model: Any, *, seed: int, reference: bool = False) -> None:
        model.requires_grad_(False)
        sizes, device, tokens = (
            kv_cache.Sizes.of(model.config),
            model.get_input_embeddings().weight.device,
            self.settings.num_virtual_tokens,
        )
        if self.settings.encoder_hidden_size:
            made = prefix_encoder.Projected(tokens, sizes.width, self.settings.encoder_hidden_size, sizes.made, seed, device)
        elif self.settings.prefix_init == "random":
            made = prefix_encoder.noise(tokens, sizes.made, seed, device)
        else:
            made = prefix_encoder.activations(model, tokens, seed)
        virtual_tokens.put(model, made, kv_cache.run)

    def reference(self, model: Any) -> AbstractContextManager[Any]:
        """The model is as it was: the prefix is left out."""
        return virtual_tokens.switched_off(model)

    def save(self, model: Any, directory: Path) -> None:
        sizes = kv_cache.Sizes.of(model.config)
        files.write(
            directory, self.peft_type, virtual_tokens.of(model)(), token_dim=sizes.width, num_attention_heads=sizes.heads,
            num_layers=sizes.layers, encoder_hidden_size=sizes.width, prefix_projection=False,
        )  # fmt: skip

    def load(self, model: Any, directory: Path) -> None:
        """The files say how long it is: the settings have no part in it."""
        model.requires_grad_(False)
        values = files.read(directory, self.peft_type, kv_cache.Sizes.of(model.config).made)
        virtual_tokens.put(model, virtual_tokens.Before(values.to(model.get_input_embeddings().weight.device)), kv_cache.run)

    def merge(self, model: Any) -> Any:
        """
        Raises:
            TunesmithError: TS-TRAIN-045, always.
        """
        raise unmergeable("keys and values before the text")
