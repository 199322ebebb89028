"""Rows with images or sounds, through transformers' models: one forward pass for each tree of pieces that continue one another.

A model that sees counts positions in its own way (Qwen2-VL, arXiv:2409.12191, section 2.1: three numbers a token). A tree of one piece is
left to it. In one of several, what continues a piece begins where that ends: positions count on from the highest of what came before, so
those of a piece are moved as a whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tunesmith_torch.data.packing import Inputs, Packed, Piece, trees


@dataclass(frozen=True)
class MediaTree:
    """Pieces that continue one another.

    Args:
        tokens, positions: (tokens,) int64; positions count from 0 in each sequence.
        inputs: what the model is given beside them.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    pieces: Sequence[Piece]
    inputs: Inputs


def media_trees(packed: Packed) -> Iterator[MediaTree]:
    """Those of a row, in its order."""
    found = trees(packed.pieces)
    start = 0
    for pieces, own in zip(found, packed.inputs or ({},) * len(found), strict=True):
        end = start + pieces[-1][1]
        yield MediaTree(packed.tokens[start:end], packed.positions[start:end], pieces, own)
        start = end


def tree_states(base: Any, tree: MediaTree) -> torch.Tensor:
    """(tokens, hidden): last hidden states by `base`, a model of transformers without its head."""
    more = {}
    if len(tree.pieces) > 1:
        more = {"position_ids": model_positions(base, tree), "packed_pieces": tuple(tree.pieces)}
    return base(input_ids=tree.tokens[None], use_cache=False, **tree.inputs, **more).last_hidden_state[0]


def model_positions(base: Any, tree: MediaTree) -> torch.Tensor:
    """(1, tokens), or (axes, 1, tokens) of a model that counts in several."""
    if not tree.inputs or not hasattr(base, "get_rope_index"):
        return tree.positions[None]
    taken = inspect.signature(base.get_rope_index).parameters
    found, _ = base.get_rope_index(tree.tokens[None], **{name: value for name, value in tree.inputs.items() if name in taken})
    for start, end, parent in tree.pieces:
        if parent >= 0:
            before = found[..., slice(*tree.pieces[parent][:2])].max()
            found[..., start:end] += before + 1 - found[..., start:end].min()
    return found
