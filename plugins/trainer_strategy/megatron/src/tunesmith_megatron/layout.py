"""Megatron's parameters and the tensors of Hugging Face's layout that they are made of: exact both ways, a rank's part at a time.

Megatron keeps queries, keys and values in one matrix, head group by head group, and the two projections of a gated layer in another. A rank
has the rows of its heads, or the columns that they are put together from, so that its part of each tensor of the other layout is a
contiguous piece along one dimension. Nothing is computed: values are only moved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tunesmith_megatron.architecture import Architecture

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
_LAYER = re.compile(r"^decoder\.layers\.(\d+)\.(.+)$")
_EXPERT = re.compile(r"^mlp\.experts\.local_experts\.(\d+)\.(linear_fc[12])\.weight$")
#: name in a layer -> name in a layer, and the dimension along which ranks divide it
_ALIKE: Mapping[str, tuple[str, int | None]] = {
    "input_layernorm.weight": ("input_layernorm.weight", None),
    "pre_mlp_layernorm.weight": ("post_attention_layernorm.weight", None),
    "self_attention.q_layernorm.weight": ("self_attn.q_norm.weight", None),
    "self_attention.k_layernorm.weight": ("self_attn.k_norm.weight", None),
    "self_attention.linear_proj.weight": ("self_attn.o_proj.weight", 1),
    "mlp.linear_fc2.weight": ("mlp.down_proj.weight", 1),
    "mlp.router.weight": ("mlp.gate.weight", None),
}


@dataclass(frozen=True)
class Made:
    """What a Megatron parameter is made of.

    Args:
        names: of the tensors.
        dim: along which tensor-parallel ranks divide them; None: each has all of it.
        groups: where rows of several tensors take turns: rows of each of them at a time.
        expert: whether it is an expert's, which other ranks divide than the rest.
    """

    names: tuple[str, ...]
    dim: int | None
    groups: tuple[int, ...] = ()
    expert: bool = False

    def join(self, pieces: Sequence[torch.Tensor]) -> torch.Tensor:
        """This rank's parameter, of its pieces of the tensors."""
        if not self.groups:
            return torch.cat(list(pieces)) if len(pieces) > 1 else pieces[0]
        turns = [piece.reshape(-1, rows, *piece.shape[1:]) for piece, rows in zip(pieces, self.groups, strict=True)]
        return torch.cat(turns, dim=1).flatten(0, 1)

    def split(self, parameter: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The inverse."""
        if not self.groups:
            return parameter.chunk(len(self.names)) if len(self.names) > 1 else (parameter,)
        turns = parameter.reshape(-1, sum(self.groups), *parameter.shape[1:])
        return tuple(part.flatten(0, 1) for part in turns.split(self.groups, dim=1))


def made_of(name: str, shape: Architecture, *, first_layer: int = 0, first_expert: int = 0) -> Made:
    """What the parameter `name` of a stage is made of.

    Args:
        first_layer, first_expert: numbers of the stage's first layer and of the rank's first expert.

    Raises:
        KeyError: there is no such parameter.
    """
    if name == "embedding.word_embeddings.weight":
        return Made((EMBEDDING,), 0)
    if name == "output_layer.weight":
        return Made((EMBEDDING if shape.tied else HEAD,), 0)
    if name == "decoder.final_layernorm.weight":
        return Made(("model.norm.weight",), None)
    found = _LAYER.match(name)
    if found is None:
        raise KeyError(name)
    prefix, inner = f"model.layers.{int(found[1]) + first_layer}.", found[2]
    if inner in _ALIKE:
        other, dim = _ALIKE[inner]
        return Made((prefix + other,), dim)
    if inner in ("self_attention.linear_qkv.weight", "self_attention.linear_qkv.bias"):
        end = inner.rpartition(".")[2]
        rows = shape.heads // shape.kv_heads * shape.head_size, shape.head_size, shape.head_size
        return Made(tuple(f"{prefix}self_attn.{one}_proj.{end}" for one in "qkv"), 0, rows)
    if inner == "mlp.linear_fc1.weight":
        return Made((f"{prefix}mlp.gate_proj.weight", f"{prefix}mlp.up_proj.weight"), 0)
    expert = _EXPERT.match(inner)
    if expert is None:
        raise KeyError(name)
    prefix += f"mlp.experts.{int(expert[1]) + first_expert}."
    if expert[2] == "linear_fc1":
        return Made((f"{prefix}gate_proj.weight", f"{prefix}up_proj.weight"), 0, expert=True)
    return Made((f"{prefix}down_proj.weight",), 1, expert=True)


_STACKED = re.compile(r"^(.*\.experts)\.(\d+)\.(gate|up|down)_proj\.weight$")


def view_of(values: Mapping[str, torch.Tensor], name: str) -> torch.Tensor:
    """Where the tensor `name` of a checkpoint's files is among a transformers model's parameters, which keep the experts of a layer in one.

    Raises:
        KeyError: it is nowhere.
    """
    stacked = _STACKED.match(name)
    if name in values or stacked is None:
        return values[name]
    prefix, number, which = stacked[1], int(stacked[2]), stacked[3]
    if which == "down":
        return values[f"{prefix}.down_proj"][number]
    gate, up = values[f"{prefix}.gate_up_proj"][number].chunk(2)
    return gate if which == "gate" else up


def names_in(name: str, size: Sequence[int]) -> list[str]:
    """The inverse: of the tensors in a checkpoint's files that are in a transformers model's parameter `name`."""
    prefix, _, last = name.rpartition(".")
    if not prefix.endswith(".experts") or last not in ("gate_up_proj", "down_proj"):
        return [name]
    parts = ("gate_proj", "up_proj") if last == "gate_up_proj" else ("down_proj",)
    return [f"{prefix}.{number}.{part}.weight" for number in range(size[0]) for part in parts]
