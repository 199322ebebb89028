"""Loading models, quietly and never from a network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import Adapter, Artifact, BringsBase
from tunesmith.contracts.kinds.adapter import KnowsBase
from tunesmith_models.weight_check import load_whole
from tunesmith_torch.data.multimodal.detection import is_encoder
from tunesmith_torch.data.tokenizer.loader import directory
from tunesmith_torch.model.encoder import encoder_only
from tunesmith_torch.model.multimodal import model_class
from tunesmith_torch.transformers_library import quiet

#: What makes a directory usable by people and servers beside its weights.
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
    "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json",
    "processor_config.json", "video_preprocessor_config.json",
)  # fmt: skip


def load_model(
    source: Artifact | Path | str, device: torch.device | str = "cpu", dtype: torch.dtype | str = "auto", *, quantization: Any = None
) -> Any:  # fmt: skip
    """A causal language model, or an encoder, from a directory (``model/hf``, ``model/bnb``), in evaluation mode, nothing of it training.

    Args:
        dtype: ``auto`` for what the files hold, or the type to convert to (``float32``, ``bfloat16``).
        quantization: one of transformers' quantization configurations, for full weights to be kept in fewer bits.

    Raises:
        UserError: TS-MODEL-008, -020, -022, -023, as `load_whole` does.
    """
    quiet()
    path = directory(source)
    wanted = dtype if dtype == "auto" or isinstance(dtype, torch.dtype) else getattr(torch, dtype)
    few_bits, load = quantization is not None or _quantized(path), model_class(path).from_pretrained
    load = encoder_only(load) if is_encoder(path) else load
    if quantization is not None:
        load_whole(load, path, device_map={"": "meta"})  # what it quantizes, the library does not hold against the sizes it should have
    more = {"quantization_config": quantization} if quantization is not None else {}
    model = load_whole(load, path, dtype=wanted, device_map={"": str(device)} if few_bits else None, **more)
    if not few_bits:
        model.to(device)
    return model.eval().requires_grad_(False)


def empty_model(source: Artifact | Path | str) -> Any:
    """The model of a directory with transformers' modules on the device that is the default, ``meta`` say, without its weights."""
    from transformers import AutoConfig

    quiet()
    config = AutoConfig.from_pretrained(directory(source), trust_remote_code=False)
    model = model_class(directory(source)).from_config(config, dtype=config.dtype or torch.float32)
    return model.eval().requires_grad_(False)


def load_base(source: Artifact | Path | str, adapter: Adapter, device: torch.device | str = "cpu") -> Any:
    """The model that `adapter` goes on, as it wants it loaded."""
    tell_base(source, adapter)
    if not isinstance(adapter, BringsBase):
        return load_model(source, device)
    quiet()
    return adapter.load_base(directory(source), torch.device(device))


def tell_base(source: Artifact | Path | str, adapter: Adapter) -> None:
    """Where the base lies, to an adapter that asks."""
    if isinstance(adapter, KnowsBase):
        adapter.base_at(directory(source))


def copy_tokenizer(source: Artifact | Path | str, output: Path) -> None:
    """The tokenizer's and the processor's files beside a model's weights; those already there stay."""
    for name in TOKENIZER_FILES:
        if (directory(source) / name).exists() and not (output / name).exists():
            shutil.copyfile(directory(source) / name, output / name)


def _quantized(path: Path) -> bool:
    config = path / "config.json"
    return config.exists() and '"quantization_config"' in config.read_text(encoding="utf-8")


def stands_alone(saved: Path) -> bool:
    """Whether an adapter has saved a whole model rather than something that needs its base."""
    return (saved / "config.json").exists()
