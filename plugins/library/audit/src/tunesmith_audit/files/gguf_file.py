"""A GGUF file held against the checkpoint that it was converted from, by the package `gguf`: names, sizes, metadata, vocabulary, template.

Converters reorder rows of queries and keys for some architectures and add one to norms for others: of the ways in which a tensor may have
been written, the one that is nearest to the parent's is taken. Sources: llama.cpp's `gguf-py` (`tensor_mapping`, `quants`), its page
docs/gguf.md on the keys, and `convert_hf_to_gguf.py` (`LlamaModel.permute`, the norms of Gemma).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith_audit.bounds import weight_bound
from tunesmith_audit.files.config_facts import facts
from tunesmith_audit.files.tensors import StoredTensor, tensors_of
from tunesmith_audit.files.tokenizer_facts import chat_template
from tunesmith_audit.verdict import Finding, Verdict
from tunesmith_models import configuration

#: a config's fact, as `facts` says it -> key of the metadata behind the architecture's name
KEYS: Mapping[str, str] = {
    "hidden_size": "embedding_length", "num_hidden_layers": "block_count", "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count", "num_key_value_heads": "attention.head_count_kv",
    "rope base": "rope.freq_base", "rms_norm_eps": "attention.layer_norm_rms_epsilon",
}  # fmt: skip
_HEAD = "output.weight"


def audit_gguf(parent: Path, file: Path) -> Verdict:
    """
    Args:
        parent: a directory in Hugging Face's layout.

    Raises:
        ImportError: there is no package `gguf`.
    """
    import gguf

    reader = gguf.GGUFReader(file)
    found = [*_metadata(parent, reader), *_vocabulary(parent, reader), *_tensors(parent, reader, gguf)]
    return Verdict(tuple(found), {"tensors": len(reader.tensors), "bits": bits_of_file(file)})


def bits_of_file(file: Path) -> int:
    """Of a weight of the layers' matrices, scales counted, on average; rounded down."""
    import gguf

    matrices = [one for one in gguf.GGUFReader(file).tensors if len(one.shape) > 1 and one.name.startswith("blk.")]
    return int(8 * sum(int(one.n_bytes) for one in matrices) / max(sum(int(one.n_elements) for one in matrices), 1))


def _metadata(parent: Path, reader: Any) -> Iterator[Finding]:
    config = facts(configuration(parent))
    architecture = _value(reader, "general.architecture")
    for fact, key in KEYS.items():
        wanted, there = config.get(fact), _value(reader, f"{architecture}.{key}")
        if isinstance(wanted, (int, float)) and isinstance(there, (int, float)) and abs(there - wanted) > 1e-6 * abs(wanted):
            yield Finding("TS-AUDIT-005", f"{architecture}.{key} is {there:g}, in the parent {wanted:g}")
    ends = _ends(parent)
    end = _value(reader, "tokenizer.ggml.eos_token_id")
    if ends and end not in ends:
        yield Finding("TS-AUDIT-005", f"tokenizer.ggml.eos_token_id is {end}, in the parent {' and '.join(map(str, sorted(ends)))}")


def _vocabulary(parent: Path, reader: Any) -> Iterator[Finding]:
    template, there = chat_template(parent), _value(reader, "tokenizer.chat_template")
    if isinstance(template, str) and template.strip() != str(there or "").strip():
        yield Finding("TS-AUDIT-006", f"the chat template {'differs' if there else 'is not there'}")
    file = parent / "tokenizer.json"
    if _value(reader, "tokenizer.ggml.model") != "gpt2" or not file.is_file():
        return  # other kinds write tokens in words of their own
    said = json.loads(file.read_text("utf-8"))
    wanted = {**said.get("model", {}).get("vocab", {}), **{one["content"]: one["id"] for one in said.get("added_tokens", ())}}
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    other = [token for token, number in wanted.items() if number >= len(tokens) or tokens[number] != token]
    if other:
        yield Finding(
            "TS-AUDIT-006", f"{len(other)} of {len(wanted)} tokens have another id, {json.dumps(other[0], ensure_ascii=False)} for one"
        )


def _tensors(parent: Path, reader: Any, gguf: Any) -> Iterator[Finding]:
    there = {one.name: one for one in reader.tensors}
    tensors = tensors_of(parent)
    named = {new: tensors[old] for old, new in _gguf_names(tensors, reader, gguf).items()}
    tied = configuration(parent).get("tie_word_embeddings", False)
    for name, tensor in named.items():
        if name not in there and not (tied and name == _HEAD):
            yield Finding("TS-AUDIT-004", f"{name} is not there")
        elif name in there and int(np.prod(there[name].shape)) != tensor.count:
            yield Finding("TS-AUDIT-004", f"{name} has {int(np.prod(there[name].shape))} numbers in place of {tensor.count}")
    heads = _heads(parent)
    for name, one in there.items():
        before = named.get(name)
        if before is None or int(np.prod(one.shape)) == before.count:
            yield from _compared(name, one, before, heads, gguf)


def _compared(name: str, one: Any, parent: StoredTensor | None, heads: Sequence[int], gguf: Any) -> Iterator[Finding]:
    values = _values(one, gguf)
    if not np.isfinite(np.dot(values.ravel(), values.ravel())):
        yield Finding("TS-AUDIT-002", f"{name} holds NaN or infinite numbers")
        return
    if parent is None or len(one.shape) < 2:
        return
    before = parent.array()
    size = float(np.dot(before.ravel(), before.ravel())) ** 0.5
    if size and not values.any():
        yield Finding("TS-AUDIT-001", f"{name} is all zeros")
        return
    apart = _distance(_nearest(values, before, heads), before) / size if size else 0.0
    bits = int(8 * one.n_bytes / max(one.n_elements, 1))
    bound = weight_bound(next((kind for least, kind in ((16, "BF16"), (8, "8"), (4, "4"), (3, "3")) if bits >= least), "2"))
    if apart > bound:
        yield Finding("TS-AUDIT-007", f"{name} differs by {apart:.2g} of its size, at most {bound:.2g} is expected")


def restored(parent: Path, file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The file's tensors under the parent's names and in its order of rows, in float32; those that have no such name are left out."""
    import gguf

    reader, tensors = gguf.GGUFReader(file), tensors_of(parent)
    named = {new: old for old, new in _gguf_names(tensors, reader, gguf).items()}
    heads = _heads(parent)
    for one in reader.tensors:
        if name := named.get(one.name):
            before = tensors[name].array()
            yield name, np.array(_nearest(_values(one, gguf).reshape(before.shape), before, heads))


def _values(one: Any, gguf: Any) -> np.ndarray:
    return gguf.quants.dequantize(one.data, one.tensor_type).astype(np.float32, copy=False)


def _nearest(values: np.ndarray, before: np.ndarray, heads: Sequence[int]) -> np.ndarray:
    """The parent's numbers as they were, of the ways in which they may have been written."""
    ways = [values]
    if values.ndim == 1:
        ways.append(values - 1)
    for count in heads:
        if values.ndim and values.shape[0] % (2 * count) == 0:
            ways.append(values.reshape(count, values.shape[0] // count // 2, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape))
    return min(ways, key=lambda way: _distance(way, before))


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    apart = (one - other).ravel()
    return float(np.dot(apart, apart)) ** 0.5


def _heads(parent: Path) -> list[int]:
    config = facts(configuration(parent))
    return sorted({int(config[key]) for key in ("num_attention_heads", "num_key_value_heads") if config.get(key)})


def _gguf_names(tensors: Mapping[str, StoredTensor], reader: Any, gguf: Any) -> dict[str, str]:
    """The parent's names of tensors -> those that they have in GGUF files; what a converter puts together is left out."""
    architecture = _value(reader, "general.architecture")
    kind = next((one for one, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture), None)
    layers = _value(reader, f"{architecture}.block_count")
    if kind is None or layers is None:
        return {}
    names = gguf.get_tensor_name_map(kind, int(layers))
    found = {name: names.get_name(name, try_suffixes=(".weight", ".bias")) for name in tensors if ".experts." not in name}
    return {old: new for old, new in found.items() if new}


def _ends(parent: Path) -> set[int]:
    """Ids that end an answer, as generation defaults, config and tokenizer say."""
    found: set[int] = set()
    for name in ("generation_config.json", "config.json"):  # where both say something, the first counts
        file = parent / name
        said = json.loads(file.read_text("utf-8")).get("eos_token_id") if file.is_file() else None
        found = found or (set(said) if isinstance(said, list) else set() if said is None else {said})
    file, config = parent / "tokenizer.json", parent / "tokenizer_config.json"
    if file.is_file() and config.is_file():
        end = json.loads(config.read_text("utf-8")).get("eos_token")
        end = end.get("content") if isinstance(end, dict) else end
        found |= {one["id"] for one in json.loads(file.read_text("utf-8")).get("added_tokens", ()) if one["content"] == end}
    return found


def _value(reader: Any, key: str) -> Any:
    field = reader.fields.get(key)
    return field.contents() if field is not None else None
