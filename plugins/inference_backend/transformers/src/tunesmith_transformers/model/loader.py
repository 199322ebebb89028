"""Loads a model and its tokenizer from an artifact's directory. Nothing in the directory may choose code to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from tunesmith.contracts import UserError
from tunesmith.contracts.step import Placement
from tunesmith_models import compute_type
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_torch.api.model import model_class
from tunesmith_torch.api.text import chat_encoder, ends_of_model
from tunesmith_transformers.sampling.generation_config import ignored, recommended

LAYERS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class Loaded:
    """A model ready to run.

    Args:
        positions: longest sequence that the model was made for; 0 if its config does not say.
        ends: ids of the tokens at which it stops.
        doubt: what to say of them; empty where all is well.
        reason: of its dtype.
        defaults: sampling settings that the model's authors recommend, for requests that leave them out.
        ignored: what else their generation_config asks for, and is not done.
        chat: of a model that sees: its processor, as `tunesmith_torch` encodes conversations by it.
    """

    model: Any
    tokenizer: Any
    positions: int
    ends: frozenset[int]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ignored: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""
    reason: str = ""
    chat: Any = None


def load(directory: Path, dtype: str, placement: Placement) -> Loaded:
    """The model on the step's device, in eval mode.

    Raises:
        UserError: TS-MODEL-008, -020, -022, -023, as `load_whole` does; TS-SERVE-003 if its layers can't be batched here.
    """
    transformers.utils.logging.disable_progress_bar()
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(directory, **options)
        _check_layers(config)
        number, reason = number_type(dtype, config, placement)
        chat = _processor(directory) if multimodal(config) else None
        tokenizer = chat.tokenizer if chat else transformers.AutoTokenizer.from_pretrained(directory, **options)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise unloadable(directory, error) from error
    model = load_whole(
        model_class(directory).from_pretrained, directory, config=config, dtype=number,
        device_map=placement.torch if quantized(config) else None,
    )  # fmt: skip
    if not quantized(config):
        model.to(placement.torch)
    model.eval().requires_grad_(False)
    text = config.get_text_config()
    generation = model.generation_config
    ends, doubt = ends_of_model(directory, tokenizer)
    positions = int(getattr(text, "max_position_embeddings", 0) or 0)
    return Loaded(model, tokenizer, positions, ends, recommended(generation), ignored(generation), doubt, reason, chat)


def _processor(directory: Path) -> Any:
    """None where there is none that can be loaded: the model is served for text."""
    try:
        chat: Any = chat_encoder(directory)
    except UserError:
        return None
    return chat if hasattr(chat, "reader") else None


def multimodal(config: Any) -> bool:
    """Whether text is one of several parts of the model."""
    return config.get_text_config() is not config


def quantized(config: Any) -> bool:
    return getattr(config, "quantization_config", None) is not None


def number_type(wanted: str, config: Any, placement: Placement) -> tuple[torch.dtype, str]:
    """The dtype that a setting means for a checkpoint on a device, and the reason."""
    own = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None) or torch.float32
    name, reason = compute_type(wanted, str(own).removeprefix("torch."), placement)
    return getattr(torch, name), reason


def _check_layers(config: Any) -> None:
    text = config.get_text_config()
    other = sorted(set(getattr(text, "layer_types", None) or ()) - LAYERS)
    if other or getattr(text, "num_kv_shared_layers", 0):
        raise unbatchable(config, f"it has layers of type {', '.join(other)}" if other else "its layers share keys and values")


def unbatchable(config: Any, why: str) -> UserError:
    return UserError(
        "TS-SERVE-003", f"This backend can't serve models of type `{config.model_type}`.", why=why,
        fix="Serve it with another inference backend (`tunesmith plugin list --kind inference_backend`).",
    )  # fmt: skip
