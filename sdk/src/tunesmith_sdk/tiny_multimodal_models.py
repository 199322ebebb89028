"""Tiny real models that see or hear, with their processors: real architectures, small random weights, made without a network.

A picture of 56 x 56 is four tokens to ``qwen2_vl`` and ``qwen2_5_vl``; to ``idefics3`` and ``smolvlm`` each of at most 28 x 28 is four.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunesmith_sdk.tiny_models import tiny_tokenizer

_TURNS = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}PLACEHOLDER{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}  # fmt: skip
_QWEN = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def tiny_multimodal(directory: Path, *, family: str = "qwen2_vl", seed: int = 0) -> Path:
    """Write a two-layer model of `family` (``qwen2_vl``, ``qwen2_5_vl``, ``idefics3``, ``smolvlm``, ``qwen2_audio``) with its processor as
    ``model/hf``."""
    import torch
    from transformers import AutoConfig, AutoModelForMultimodalLM

    tokenizer = tiny_tokenizer()
    overrides = _FAMILIES[family](tokenizer, Path(directory))
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    text = {**_TEXT, **special, "vocab_size": len(tokenizer), **overrides.pop("text_config", {})}
    config = AutoConfig.for_model(family, text_config=text, **overrides)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForMultimodalLM.from_config(config, dtype=torch.float32)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return Path(directory)


def _qwen_vl(tokenizer: Any, directory: Path) -> dict[str, Any]:
    _special(tokenizer, _QWEN, "<|vision_start|><|image_pad|><|vision_end|>")
    _processor(directory, {
        "image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
        "size": {"shortest_edge": 28 * 28, "longest_edge": 112 * 112},
    })  # fmt: skip
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "patch_size": 14}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    ids = dict(
        zip(("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id"), _ids(tokenizer, _QWEN), strict=True)
    )
    return {"text_config": {"rope_parameters": rope}, "vision_config": vision, **ids}


def _qwen_2_5_vl(tokenizer: Any, directory: Path) -> dict[str, Any]:
    settings = _qwen_vl(tokenizer, directory)
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2, "patch_size": 14,
        "fullatt_block_indexes": [1], "window_size": 56,
    }  # fmt: skip
    return settings | {"vision_config": vision}


def _idefics(tokenizer: Any, directory: Path, kind: str = "Idefics3") -> dict[str, Any]:
    names = ("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>")
    _special(tokenizer, names, "<image>")
    _processor(
        directory,
        {
            "image_processor_type": f"{kind}ImageProcessor", "size": {"longest_edge": 56}, "max_image_size": {"longest_edge": 28},
            "do_image_splitting": True,
        },
        {"processor_class": f"{kind}Processor", "image_seq_len": 4},
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 7,
    }  # fmt: skip
    return {"vision_config": vision, "scale_factor": 2, "image_token_id": _ids(tokenizer, names)[1]}


def _smolvlm(tokenizer: Any, directory: Path) -> dict[str, Any]:
    return _idefics(tokenizer, directory, "SmolVLM")


def _qwen_audio(tokenizer: Any, directory: Path) -> dict[str, Any]:
    names = ("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>")
    _special(tokenizer, names, "".join(names))
    _processor(directory, {
        "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 16, "sampling_rate": 16000, "chunk_length": 2,
    })  # fmt: skip
    audio = {
        "num_mel_bins": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64, "d_model": 32,
        "max_source_positions": 100,
    }  # fmt: skip
    return {"audio_config": audio, "audio_token_index": _ids(tokenizer, names)[1]}


def _special(tokenizer: Any, names: tuple[str, ...], placeholder: str) -> None:
    tokenizer.add_special_tokens({"additional_special_tokens": list(names)})
    tokenizer.chat_template = _TURNS.replace("PLACEHOLDER", placeholder)


def _ids(tokenizer: Any, names: tuple[str, ...]) -> list[int]:
    return [tokenizer.convert_tokens_to_ids(name) for name in names]


def _processor(directory: Path, pictures: Mapping[str, Any], whole: Mapping[str, Any] | None = None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "preprocessor_config.json").write_text(json.dumps(pictures, indent=2))
    if whole:
        (directory / "processor_config.json").write_text(json.dumps(whole, indent=2))


_FAMILIES: Mapping[str, Callable[[Any, Path], dict[str, Any]]] = {
    "qwen2_vl": _qwen_vl, "qwen2_5_vl": _qwen_2_5_vl, "idefics3": _idefics, "smolvlm": _smolvlm, "qwen2_audio": _qwen_audio,
}  # fmt: skip
