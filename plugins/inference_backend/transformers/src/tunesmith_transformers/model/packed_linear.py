"""Weights in the layout that oneDNN multiplies by, made once.

PyTorch's `linear` in bfloat16 on a processor lays the weights out anew at every product, which for the few tokens of a step takes as long
as the product itself. The operator that its compiler uses for frozen models takes them as they have been laid out before.
"""

from __future__ import annotations

import torch
from torch.nn.functional import linear

PROBE = 4  # rows that a layer is tried with before it takes the other's place


class PackedLinear(torch.nn.Module):
    """A `torch.nn.Linear` that can't be trained any more."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.bias = layer.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().contiguous())

    @property
    def weight(self) -> torch.Tensor:
        """``[out, in]`` as it was, for models that look at it: a copy."""
        return self.packed.to_dense()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(input, self.packed, self.bias, "none", [], "")


def can_pack(model: torch.nn.Module) -> bool:
    """Whether the processor multiplies the model's type natively, and this PyTorch has the operators."""
    known = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    where = model.get_input_embeddings().weight  # type: ignore[operator]
    return known and where.device.type == "cpu" and where.dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def pack(model: torch.nn.Module) -> int:
    """Pack the model's linear layers, in place; how many.

    One whose weight is the embedding's too stays, or there would be two of them; so does any that would answer otherwise.
    """
    if not can_pack(model):
        return 0
    tied, count = model.get_input_embeddings().weight.data_ptr(), 0  # type: ignore[operator]
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is torch.nn.Linear and layer.weight.dtype == torch.bfloat16 and layer.weight.data_ptr() != tied:
                packed = PackedLinear(layer)
                if _agree(layer, packed):
                    setattr(parent, name, packed)
                    count += 1
    return count


def _agree(layer: torch.nn.Linear, packed: PackedLinear) -> bool:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(PROBE, layer.in_features, generator=generator).to(layer.weight.dtype)
    wanted = linear(rows, layer.weight, layer.bias)
    # sums of the same products in another order, rounded to 8 bits
    return torch.allclose(packed(rows), wanted, rtol=0.02, atol=0.02 * float(wanted.abs().max()))
