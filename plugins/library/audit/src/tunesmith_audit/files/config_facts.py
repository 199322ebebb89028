"""What a model's config says that no conversion may change: rope, ends, heads, sizes, windows; standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith_audit.verdict import Finding
from tunesmith_models import configuration

#: Keys that say how or by what it was written, not what it computes.
FREE = frozenset({
    "dtype", "torch_dtype", "transformers_version", "_name_or_path", "name_or_path", "quantization_config", "use_cache", "architectures",
    "auto_map", "return_dict", "output_attentions", "output_hidden_states", "attn_implementation", "_attn_implementation", "bos_token_id",
    "eos_token_id", "pad_token_id", "tie_word_embeddings", "pretraining_tp", "initializer_range", "attention_dropout", "hidden_dropout",
    "chunk_size_feed_forward", "is_encoder_decoder", "problem_type", "id2label", "label2id", "max_window_layers",
    "rope_theta", "rope_scaling", "rope_parameters", "head_dim", "sliding_window", "use_sliding_window", "layer_types",
})  # fmt: skip
#: A key that one of two configs leaves out has this value there, whatever the family.
_SILENT: Mapping[str, Any] = {"attention_bias": False, "mlp_bias": False}


def config_findings(parent: Path, child: Path) -> list[Finding]:
    """Where the two configs, and the generation defaults, contradict one another. None where one of them has no config."""
    before, after = configuration(parent), configuration(child)
    if not before or not after:
        return []
    found = [Finding("TS-AUDIT-005", f"config.json: {words}") for words in _differences(before, after)]
    for key in ("eos_token_id", "bos_token_id"):
        for file in ("config.json", "generation_config.json"):
            old, new = _ids(_read(parent / file).get(key)), _ids(_read(child / file).get(key))
            if old and new and not old <= new:
                found.append(Finding("TS-AUDIT-005", f"{file}: `{key}` is {_set(new)}, in the parent {_set(old)}"))
    ends = _ids(_read(parent / "generation_config.json").get("eos_token_id"))
    if ends and not (child / "generation_config.json").is_file() and not ends <= _ids(after.get("eos_token_id")):
        found.append(Finding("TS-AUDIT-005", f"generation_config.json is not there; in the parent `eos_token_id` is {_set(ends)}"))
    return found


def facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config's facts in one spelling, whichever version wrote it."""
    text = config.get("text_config") if isinstance(config.get("text_config"), Mapping) else {}
    said = {**config, **text}  # what is inside belongs to the decoder
    rope = said.get("rope_parameters") or said.get("rope_scaling") or {}
    rope = rope if isinstance(rope, Mapping) else {}
    heads, hidden = said.get("num_attention_heads"), said.get("hidden_size")
    found = {key: value for key, value in said.items() if key not in FREE and key not in ("text_config", "vision_config", "audio_config")}
    found |= {key: value for key, value in _SILENT.items() if key not in found}
    if heads:
        found.setdefault("num_key_value_heads", heads)
        found["head_dim"] = said.get("head_dim") or (hidden // heads if hidden else None)
    found["rope base"] = rope.get("rope_theta", said.get("rope_theta"))
    kind = rope.get("rope_type", rope.get("type", "default"))
    found["rope type"] = kind
    if kind != "default":
        found["rope scaling"] = {key: value for key, value in rope.items() if key not in ("rope_theta", "rope_type", "type")}
    found["sliding window"] = said.get("sliding_window") if said.get("use_sliding_window", True) else None
    return found


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = facts(before), facts(after)
    for key in sorted(old.keys() & new.keys()):
        if not _same(old[key], new[key]) and (key in ("sliding window",) or None not in (old[key], new[key])):
            yield f"`{key}` is {json.dumps(new[key], default=str)}, in the parent {json.dumps(old[key], default=str)}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, (int, float)) and isinstance(other, (int, float)) and abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_same(one[key], other[key]) for key in one.keys() & other.keys())
    return bool(one == other)


def _ids(value: Any) -> set[int]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}


def _set(ids: set[int]) -> str:
    return " and ".join(map(str, sorted(ids)))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
