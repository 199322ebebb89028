"""The adapter `prompt`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import TunesmithError
from tunesmith_prompt import files, virtual_token_insertion, virtual_tokens
from tunesmith_prompt.settings import PromptSettings


class Prompt:
    """Embeddings before every sequence; they train, nothing else."""

    peft_type = "PROMPT_TUNING"

    def __init__(self, settings: PromptSettings) -> None:
        self.settings = settings

    def attach(self, model: Any, *, seed: int, reference: bool = False) -> None:
        model.requires_grad_(False)
        table = model.get_input_embeddings().weight
        generator = torch.Generator().manual_seed(seed)
        if self.settings.prompt_tuning_init == "sample_vocab":
            words = torch.randint(0, len(table), (self.settings.num_virtual_tokens,), generator=generator)
            values = table.detach()[words.to(table.device)].float().clone()
        else:
            values = torch.randn(self.settings.num_virtual_tokens, table.shape[1], generator=generator).to(table.device)
        virtual_tokens.put(model, virtual_tokens.Before(values), virtual_token_insertion.run)

    def reference(self, model: Any) -> AbstractContextManager[Any]:
        """The model is as it was: the embeddings are left out."""
        return virtual_tokens.switched_off(model)

    def save(self, model: Any, directory: Path) -> None:
        config = model.config.get_text_config()
        files.write(
            directory, self.peft_type, virtual_tokens.of(model).values, token_dim=config.hidden_size,
            num_attention_heads=config.num_attention_heads, num_layers=config.num_hidden_layers, prompt_tuning_init="RANDOM",
        )  # fmt: skip

    def load(self, model: Any, directory: Path) -> None:
        """The files say how many there are: the settings have no part in it."""
        model.requires_grad_(False)
        table = model.get_input_embeddings().weight
        virtual_tokens.put(
            model,
            virtual_tokens.Before(files.read(directory, self.peft_type, table.shape[1]).to(table.device)),
            virtual_token_insertion.run,
        )

    def merge(self, model: Any) -> Any:
        """
        Raises:
            TunesmithError: TS-TRAIN-045, always.
        """
        raise unmergeable("embeddings before the text")


def unmergeable(what: str) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-045", f"{what[0].upper() + what[1:]} can't be merged into a model", why="No matrix of the model computes what they do.",
        fix="Use the adapter beside its base, or train one that merges.",
    )  # fmt: skip
