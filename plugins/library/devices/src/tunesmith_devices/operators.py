"""The operators that training and serving compute with, each with the classes of shapes that they meet.

Every one is a function of torch alone, without a model's code, so that a wrong answer names what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F  # noqa: N812 (as everybody calls it)

Tensor = torch.Tensor


class Index(NamedTuple):
    """An input of integers below a bound, some of them several times."""

    shape: tuple[int, ...]
    below: int


Shape = tuple[int, ...] | Index


class Operator(NamedTuple):
    """What is computed of which inputs.

    Args:
        compute: a tensor, or several, of the inputs.
        shapes: class of shapes -> the inputs' shapes.
        backward: whether gradients are asked for.
        only: dtypes that it is computed in; empty: all.
    """

    compute: Callable[..., Any]
    shapes: Mapping[str, tuple[Shape, ...]]
    backward: bool = True
    only: tuple[str, ...] = ()


def _rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight


def _rotary(x: Tensor, angle: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return x * angle.cos() + torch.cat((-right, left), -1) * angle.sin()


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    grouped = query.shape[1] != key.shape[1]
    return F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=grouped)


def _masked_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Two sequences end to end, neither of which sees the other."""
    place = torch.arange(query.shape[-2], device=query.device)
    own = (place >= 5)[:, None] == (place >= 5)[None, :]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=own & (place[:, None] >= place[None, :]))


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    ignored = torch.where(labels % 3 == 0, -100, labels)
    return F.cross_entropy(logits, ignored, ignore_index=-100, reduction="sum")


def _log_probs(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.log_softmax(-1).gather(-1, labels[:, None]).squeeze(-1)


def _experts(x: Tensor, up: Tensor, chosen: Tensor) -> Tensor:
    """Rows to their experts and back, as a mixture of experts computes without a kernel of its own."""
    found = torch.zeros(x.shape[0], up.shape[1], device=x.device, dtype=x.dtype)
    for number in range(up.shape[0]):
        rows = (chosen == number).nonzero().squeeze(-1)
        found = found.index_add(0, rows, x.index_select(0, rows) @ up[number].T)
    return found


def _router(x: Tensor) -> Tensor:
    values, _ = x.softmax(-1).topk(2, -1)
    return values / values.sum(-1, keepdim=True)


def _scan(x: Tensor, step: Tensor) -> Tensor:
    """The recurrence of a state space model, a token after the other."""
    decay = torch.exp(-F.softplus(step))
    state, found = torch.zeros_like(x[:, 0]), []
    for place in range(x.shape[1]):
        state = decay[:, place] * state + x[:, place]
        found.append(state)
    return torch.stack(found, 1)


def _convolution(x: Tensor, weight: Tensor) -> Tensor:
    return F.conv1d(x, weight, padding=weight.shape[-1] - 1, groups=weight.shape[0])[..., : x.shape[-1]]


def _adamw(weight: Tensor, gradient: Tensor) -> Tensor:
    trained = weight.detach().clone().requires_grad_()
    optimizer = torch.optim.AdamW([trained], lr=0.01, weight_decay=0.1)
    for _ in range(2):
        trained.grad = gradient.detach().clone()
        optimizer.step()
    return trained.detach()


_HEADS = ((1, 2, 9, 16),) * 3
OPERATORS: dict[str, Operator] = {
    "linear": Operator(F.linear, {
        "one row": ((1, 64), (96, 64), (96,)), "nine rows": ((9, 64), (96, 64), (96,)), "odd sizes": ((7, 33), (31, 33), (31,)),
        "many rows": ((260, 128), (256, 128), (256,)),
    }),
    "output layer": Operator(F.linear, {"nine rows, 32003 words": ((9, 32), (32003, 32))}),
    "low rank": Operator(lambda x, a, b: F.linear(F.linear(x, a), b), {"rank 8": ((33, 64), (8, 64), (96, 8))}),
    "batched product": Operator(torch.matmul, {"four matrices": ((2, 2, 9, 16), (2, 2, 16, 9))}),
    "embedding": Operator(lambda weight, index: F.embedding(index, weight), {"repeated tokens": ((50, 32), Index((2, 17), 50))}),
    "rms norm": Operator(_rms_norm, {"rows": ((9, 64), (64,)), "one row": ((1, 64), (64,))}),
    "layer norm": Operator(lambda x, w, b: F.layer_norm(x, (x.shape[-1],), w, b), {"rows": ((9, 64), (64,), (64,))}),
    "softmax": Operator(lambda x: x.softmax(-1), {"rows": ((9, 130),)}),
    "cross entropy": Operator(_cross_entropy, {"32003 words": ((9, 32003), Index((9,), 32003)), "17 words": ((5, 17), Index((5,), 17))}),
    "log-probabilities": Operator(_log_probs, {"1000 words": ((9, 1000), Index((9,), 1000))}),
    "logsumexp": Operator(lambda x: x.logsumexp(-1), {"rows": ((9, 1000),)}),
    "attention": Operator(_attention, {
        "nine tokens": _HEADS, "one token": ((1, 2, 1, 16),) * 3, "130 tokens": ((1, 2, 130, 64),) * 3,
        "ten sequences": ((10, 2, 9, 16),) * 3, "grouped heads": ((1, 4, 9, 16), (1, 2, 9, 16), (1, 2, 9, 16)),
    }),
    "masked attention": Operator(_masked_attention, {"two sequences": _HEADS}),
    "rotary positions": Operator(_rotary, {"heads": ((1, 2, 9, 16), (9, 16))}),
    "silu": Operator(lambda gate, up: F.silu(gate) * up, {"rows": ((9, 96), (9, 96))}),
    "gelu": Operator(F.gelu, {"rows": ((9, 96),)}),
    "gelu, tanh": Operator(lambda x: F.gelu(x, approximate="tanh"), {"rows": ((9, 96),)}),
    "capped scores": Operator(lambda x: 30 * torch.tanh(x / 30), {"rows": ((9, 96),)}),
    "sigmoid": Operator(torch.sigmoid, {"rows": ((9, 96),)}),
    "log-sigmoid": Operator(F.logsigmoid, {"pairs": ((9,),)}),
    "experts": Operator(_experts, {"three experts": ((17, 32), (3, 48, 32), Index((17,), 3))}),
    "router": Operator(_router, {"four experts": ((17, 4),)}),
    "state space scan": Operator(_scan, {"nine tokens": ((2, 9, 16), (2, 9, 16))}),
    "depthwise convolution": Operator(_convolution, {"four taps": ((2, 16, 9), (16, 1, 4))}),
    "cumulative sum": Operator(lambda x: x.cumsum(-1), {"rows": ((3, 65),)}),
    "gradient norm": Operator(lambda x: torch.linalg.vector_norm(x), {"one tensor": ((33, 65),)}),
    "adamw step": Operator(_adamw, {"one tensor": ((33, 65), (33, 65))}, backward=False, only=("float32", "bfloat16")),
    "sort": Operator(lambda x: x.sort(-1, descending=True).values, {"rows": ((3, 130),)}),
    "masked fill": Operator(lambda x: x.masked_fill(x < 0, 0.0), {"rows": ((9, 64),)}),
}  # fmt: skip
