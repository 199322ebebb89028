"""What a model's generation_config asks of the sampler: taken over for requests that leave it out, or named as ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_transformers.sampling.sampling_params import BOUNDS

DRAWING = ("temperature", "top_p", "top_k", "min_p")  # count where the model is to be sampled from
ALWAYS = ("repetition_penalty", "suppress_tokens")
#: Fields that say nothing about the tokens of an answer, or that are read elsewhere (the ends of a text).
OTHER = {
    "do_sample", "eos_token_id", "bos_token_id", "pad_token_id", "decoder_start_token_id", "use_cache", "cache_implementation",
    "cache_config", "max_cache_len", "compile_config", "disable_compile", "continuous_batching_config", "prefill_chunk_size",
    "low_memory", "is_assistant", "return_dict_in_generate", "transformers_version", "num_return_sequences",
}  # fmt: skip
_PREFIXES = ("output_", "assistant_", "num_assistant_", "_")
#: Fields that change nothing when they have these values.
NEUTRAL = {
    "typical_p": 1.0, "num_beams": 1, "num_beam_groups": 1, "length_penalty": 1.0, "diversity_penalty": 0.0, "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0, "encoder_no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "min_length": 0, "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0, "renormalize_logits": False, "remove_invalid_values": False, "early_stopping": False, "token_healing": False,
    "max_length": 20, "guidance_scale": 1.0, "penalty_alpha": 0.0, "use_mtp": False,
}  # fmt: skip


def recommended(generation: Any) -> dict[str, Any]:
    """Values by the names of `Sampling`'s fields, of a transformers `GenerationConfig`."""
    names = (*DRAWING, *ALWAYS) if generation.do_sample else ALWAYS
    values = {name: getattr(generation, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None and _usable(name, value)}


def ignored(generation: Any) -> dict[str, Any]:
    """The fields that would change what the library's own `generate` says, and are not honoured here."""
    taken = recommended(generation)
    given: Mapping[str, Any] = {name: value for name, value in generation.to_diff_dict().items() if value is not None}
    return {
        name: value for name, value in given.items()
        if name not in taken and name not in OTHER and not name.startswith(_PREFIXES) and value != NEUTRAL.get(name)
    }  # fmt: skip


def _usable(name: str, value: Any) -> bool:
    if name == "suppress_tokens":
        return isinstance(value, list) and all(isinstance(token, int) and token >= 0 for token in value)
    least, most = BOUNDS[name]
    return isinstance(value, (int, float)) and least <= value <= most
