"""The audit of an artifact's files against its parent's: one pass over the bytes, nothing loaded, no framework."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith_audit.bounds import bits_of, weight_bound
from tunesmith_audit.files.config_facts import config_findings
from tunesmith_audit.files.other_heads import under_new_names
from tunesmith_audit.files.packed_weights import plain
from tunesmith_audit.files.tensors import StoredTensor, tensors_of, values_of
from tunesmith_audit.files.tokenizer_facts import template_identity, tokenizer_findings
from tunesmith_audit.verdict import Finding, Verdict
from tunesmith_models import configuration
from tunesmith_models.model_directory import gguf_in

Edge = Literal["convert", "update", "quantize"]
_LAYER = re.compile(r"\blayers?\.\d+|\bh\.\d+|\bblocks\.\d+")
_BUFFERS = ("rotary_emb.inv_freq", "masked_bias", ".attn.bias")  # older checkpoints store them, newer ones compute them
_HEAD = "lm_head.weight"
_CACHE_SCALES = (".k_scale", ".v_scale", ".q_scale")  # of a KV cache in float8


def audit(parent: Path, child: Path, edge: Edge | Literal["auto"] = "auto") -> Verdict:
    """
    Args:
        parent, child: directories in Hugging Face's layout.
        edge: ``convert``: the same weights in another dtype or other files; ``update``: weights that changed in training, which some must
            have; ``quantize``: in fewer bits. ``auto``: by the child's config, no training.

    Raises:
        UserError: TS-MODEL-008 when a file is missing or not whole.
    """
    parent, child = Path(parent), Path(child)
    config = configuration(child)
    quantization = config.get("quantization_config") or {}
    if edge == "auto":
        edge = "quantize" if quantization else "convert"
    findings = [*config_findings(parent, child), *tokenizer_findings(parent, child)]
    figures: dict[str, Any] = {"template": template_identity(child)}
    old, new = tensors_of(parent), tensors_of(child)
    old = under_new_names(old, new, configuration(parent), config) if edge == "update" and old and new else old
    skipped = () if (old and new) or gguf_in(child) else (f"tensors: {'the parent' if not old else 'it'} has no safetensors files",)
    if new and not old:
        findings += alone(new)
    packed = quantization or configuration(parent).get("quantization_config")
    if old and new and 2 * len(old.keys() & new.keys()) < min(len(old), len(new)) and not packed:
        skipped = ("tensors: most have other names than in the parent",)
    elif old and new:
        comparison = _Comparison(old, new, configuration(parent), config, edge)
        findings += comparison.findings()
        figures |= {"tensors": len(new), "update_norm": comparison.norms(), "not_unpacked": len(comparison.packed)}
    return Verdict(tuple(findings), figures, skipped)


def alone(tensors: Mapping[str, StoredTensor]) -> Iterator[Finding]:
    """What is wrong with tensors whatever they were made from."""
    for name, tensor in tensors.items():
        seen = values_of(tensor) if tensor.floating else None
        if seen and not seen.finite:
            yield Finding("TS-AUDIT-002", f"{name} holds NaN or infinite numbers")
        elif seen and seen.zero and len(tensor.shape) > 1:
            yield Finding("TS-AUDIT-001", f"{name} is all zeros")


def unpacked(parent: Path, child: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The child's tensors under the parent's names, packed ones as the plain ones that they stand for; layouts that are not read here are
    left out."""
    old, new = tensors_of(parent), tensors_of(child)
    quantization = configuration(child).get("quantization_config") or {}
    for name, parts in _by_layer(new, old).items():
        values = plain(parts, old[name].shape, quantization)
        if values is not None:
            yield name, np.array(values, np.float32)
    yield from ((name, np.array(new[name].array())) for name in old.keys() & new.keys() if new[name].floating)


class _Comparison:
    """Child's tensors against the parent's."""

    def __init__(
        self, old: Mapping[str, StoredTensor], new: Mapping[str, StoredTensor], parent: Mapping[str, Any], child: Mapping[str, Any],
        edge: Edge,
    ) -> None:  # fmt: skip
        self.old, self.new, self.edge, self.config = old, new, edge, child
        self.tied = bool(child.get("tie_word_embeddings", parent.get("tie_word_embeddings", False)))
        self.quantization = child.get("quantization_config") or {}
        self.bits = bits_of(child)
        self.change: dict[str, float] = {}
        self.packed: list[str] = []  # matrices whose layout is not read here
        self.layers = _by_layer(new, old)
        self.unpacked = _by_layer(old, new) if parent.get("quantization_config") and not self.quantization else {}
        self.parent_quantization = parent.get("quantization_config") or {}

    def findings(self) -> list[Finding]:
        found = [*self._names(), *self._values(), *self._unpacked(), *self._tied()]
        if self.edge == "update" and self.change and not any(self.change.values()):
            found.append(Finding("TS-AUDIT-003", "every matrix is the parent's, bit by bit"))
        return found

    def norms(self) -> dict[str, float]:
        """The largest relative change of a matrix in each layer, and outside of them."""
        norms: dict[str, float] = defaultdict(float)
        for name, change in self.change.items():
            layer = _LAYER.search(name)
            key = layer.group() if layer else "others"
            norms[key] = max(norms[key], change)
        return {key: round(value, 6) for key, value in norms.items()}

    def _names(self) -> Iterator[Finding]:
        of_parent = {part.name for layer in self.unpacked.values() for part in layer.values()}
        for name in sorted(self.old.keys() - self.new.keys() - of_parent):
            if name in self.layers or name.endswith(_BUFFERS) or (name == _HEAD and (self.tied or self.edge == "update")):
                continue
            if self.parent_quantization and _bias_of_zeros(self.old[name]):
                continue
            yield Finding("TS-AUDIT-004", f"{name} is not there", True)
        if self.edge == "update":
            return  # training gives models heads of its own, in the place of that of words or beside it
        parts = {part.name for layer in self.layers.values() for part in layer.values()}
        for name in sorted(self.new.keys() - self.old.keys() - parts - self.unpacked.keys()):
            if not name.endswith(_BUFFERS) and name != _HEAD and not self._adds_nothing(name):
                yield Finding("TS-AUDIT-004", f"{name} is not in the parent", True)

    def _adds_nothing(self, name: str) -> bool:
        """A bias of zeros; scales of the KV cache, where the config says that it has such."""
        if name.endswith(_CACHE_SCALES):
            return bool(self.quantization.get("kv_cache_scheme"))
        return _bias_of_zeros(self.new[name])

    def _values(self) -> Iterator[Finding]:
        packed = {part.name for layer in self.layers.values() for part in layer.values()}
        for name, tensor in self.new.items():
            if not tensor.floating:
                continue
            before = None if name in packed or name in self.unpacked else self.old.get(name)
            if before is not None and before.shape != tensor.shape:
                yield Finding("TS-AUDIT-004", f"{name} is {_shape(tensor)} in place of {_shape(before)}", True)
                continue
            seen = values_of(tensor, before)
            if not seen.finite:
                yield Finding("TS-AUDIT-002", f"{name} holds NaN or infinite numbers")
            elif seen.zero and tensor.count > 1 and not (before is not None and values_of(before).zero) and (before or _scales(name)):
                yield Finding("TS-AUDIT-001", f"{name} is all zeros")
            elif before is not None:
                self.change[name] = seen.change
                yield from self._moved(name, seen.change, self._bound(tensor, before))

    def _bound(self, tensor: StoredTensor, before: StoredTensor) -> float:
        if self.edge == "update":
            return math.inf  # how far training went is told, not judged: what it computes is held against the adapter beside its base
        bound = max(weight_bound(one.dtype if one.floating else "F32") for one in (tensor, before))
        # a quantizer may move norms and what it does not pack: AWQ folds the scales of activations into them
        return math.inf if self.quantization.get("quant_method") in ("awq", "compressed-tensors") else bound

    def _moved(self, name: str, change: float, bound: float) -> Iterator[Finding]:
        if change > bound:
            yield Finding(
                "TS-AUDIT-007", f"{name} differs by {change:.2g} of its size, at most {bound:.2g} is expected{self._other(name)}", True
            )
        elif self.edge == "update" and change > 0.5 and (other := self._other(name)):
            yield Finding("TS-AUDIT-007", f"{name} differs by {change:.2g} of its size{other}")

    def _other(self, name: str) -> str:
        """Which of the parent's matrices in the same layer it holds, if one."""
        layer = _LAYER.search(name)
        tensor = self.new[name]
        for other, before in self.old.items():
            where = _LAYER.search(other)
            there = (where and where.group()) == (layer and layer.group()) and before.shape == tensor.shape and len(tensor.shape) > 1
            if other != name and there and values_of(tensor, before).change < 0.25:
                return f"; it holds what the parent has in {other}"
        return ""

    def _unpacked(self) -> Iterator[Finding]:
        bound = weight_bound(str(min((bits for bits in (2, 3, 4, 8) if bits >= self.bits), default=8)))
        bound = math.inf if self._moves_scales() else bound
        for name, parts in self.layers.items():
            yield from self._packed_layer(name, parts, self.old[name], self.quantization, bound)
        for name, parts in self.unpacked.items():
            one = self.new[name]
            rounded = math.inf if self.edge == "update" else 2 * weight_bound(one.dtype)  # once by its parts, once as it is stored
            yield from self._packed_layer(name, parts, one, self.parent_quantization, rounded)

    def _moves_scales(self) -> bool:
        """Whether scales went from matrices to those before them, as AWQ does: then none is the parent's by itself."""
        method = self.quantization.get("quant_method")
        norms = (change for name, change in self.change.items() if len(self.new[name].shape) == 1)
        return method == "awq" or (method == "compressed-tensors" and any(change > weight_bound("BF16") for change in norms))

    def _packed_layer(
        self, name: str, parts: Mapping[str, StoredTensor], before: StoredTensor, quantization: Mapping[str, Any], bound: float
    ) -> Iterator[Finding]:  # fmt: skip
        """A packed matrix against the plain one, whichever of the two is the parent's."""
        try:
            values = plain(parts, before.shape, quantization)
        except (ValueError, IndexError, KeyError) as error:
            yield Finding("TS-AUDIT-004", f"the parts of {name} do not fit each other: {error}")
            return
        if values is None:
            self.packed.append(name)
            return
        if values.shape != before.shape:
            yield Finding("TS-AUDIT-004", f"{name} is {values.shape} in place of {before.shape}")
            return
        if math.isinf(bound) and self.edge == "quantize":
            self.packed.append(name)
            if not values.any() and not values_of(before).zero:
                yield Finding("TS-AUDIT-001", f"{name} is all zeros once it is unpacked")
            return
        expected = before.array()
        size = float((expected.astype("f8") ** 2).sum()) ** 0.5
        apart = float(((values - expected).astype("f8") ** 2).sum()) ** 0.5
        self.change[name] = apart / size if size else float(apart > 0)
        if not values.any() and size:
            yield Finding("TS-AUDIT-001", f"{name} is all zeros once it is unpacked")
        elif not self.change[name] <= bound:
            far = f"{name} differs by {self.change[name]:.2g} of its size once it is unpacked"
            yield Finding("TS-AUDIT-007", f"{far}, at most {bound:.2g} is expected")

    def _tied(self) -> Iterator[Finding]:
        head, embedding = self.new.get(_HEAD), self.new.get("model.embed_tokens.weight")
        if not self.tied or head is None or embedding is None or head.shape != embedding.shape:
            return
        if head.dtype != embedding.dtype or values_of(head, embedding).change:
            yield Finding("TS-AUDIT-008", f"{_HEAD} and {embedding.name}")


def _by_layer(new: Mapping[str, StoredTensor], old: Mapping[str, StoredTensor]) -> dict[str, dict[str, StoredTensor]]:
    """By the parent's name of a matrix: the parts that hold it packed, by the rest of their names."""
    found: dict[str, dict[str, StoredTensor]] = {}
    wanted = {name.removesuffix("weight"): name for name in old if name.endswith(".weight")}
    for name, tensor in new.items():
        pieces = name.split(".")
        for count in range(1, len(pieces)):
            stem = ".".join(pieces[:-count]) + "."
            rest = name.removeprefix(stem)
            if stem in wanted and (name not in old or not tensor.floating) and rest != "bias":
                found.setdefault(wanted[stem], {})[rest] = tensor
                break
    for name, parts in found.items():
        if name in new:  # a matrix of float8 under the name that it had, with scales beside it
            parts["weight"] = new[name]
    return found


def _bias_of_zeros(tensor: StoredTensor) -> bool:
    """As AutoGPTQ gives one to every layer, whether or not the architecture has one there."""
    return tensor.name.endswith(".bias") and tensor.floating and values_of(tensor).zero


def _scales(name: str) -> bool:
    return name.endswith(("scales", "scale", "absmax", "SCB"))


def _shape(tensor: StoredTensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"
