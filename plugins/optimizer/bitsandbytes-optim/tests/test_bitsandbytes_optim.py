"""8-bit state: near the same optimizer in 32 bits, in a quarter of the memory, embeddings apart."""

from __future__ import annotations

import pytest
import torch

from tunesmith_bitsandbytes_optim.optimizers import AdamW8, Lion8
from tunesmith_bitsandbytes_optim.settings import AdamW8Settings, Lion8Settings
from tunesmith_torch.api import Trained

RATE, STEPS = 0.01, 12
SIZES = {"matrix": (96, 64), "embedding": (80, 64), "vector": (64,)}


def parameters():
    drawn = torch.Generator().manual_seed(3)
    return {name: torch.nn.Parameter(torch.randn(size, generator=drawn)) for name, size in SIZES.items()}


def course(tensors, optimizer):
    """Steps along gradients that have a direction, as those of a loss have, and noise."""
    drawn = torch.Generator().manual_seed(4)
    main = {name: torch.randn(p.shape, generator=drawn) for name, p in tensors.items()}
    for _ in range(STEPS):
        for name, p in tensors.items():
            p.grad = main[name] + 0.1 * torch.randn(p.shape, generator=drawn)
        optimizer.step()
    return {name: p.detach().clone() for name, p in tensors.items()}


def built(provider, tensors):
    told = [Trained(name, p, decay=p.ndim > 1, embedding=name == "embedding") for name, p in tensors.items()]
    return provider.build(told, learning_rate=RATE, device="cpu")


def moved(values):
    return {name: value - start.detach() for (name, value), start in zip(values.items(), parameters().values(), strict=True)}


def test_adamw_goes_where_torch_s_goes():
    ours, theirs = parameters(), parameters()
    mine = moved(course(ours, built(AdamW8(AdamW8Settings()), ours)))
    expected = moved(course(theirs, torch.optim.AdamW(theirs.values(), lr=RATE, weight_decay=0.0)))
    apart = {name: float((mine[name] - expected[name]).norm() / expected[name].norm()) for name in SIZES}
    assert apart["matrix"] < 0.05
    assert max(apart["embedding"], apart["vector"]) < 1e-4  # these are kept in 32 bits


@pytest.mark.parametrize("bits", [8, 32])
def test_embeddings_are_kept_in_as_many_bits_as_asked_for(bits: int):
    tensors = parameters()
    optimizer = built(Lion8(Lion8Settings(embedding_bits=bits)), tensors)
    course(tensors, optimizer)
    kept = {name: optimizer.state[p]["state1"].dtype for name, p in tensors.items()}
    assert kept == {"matrix": torch.uint8, "embedding": torch.uint8 if bits == 8 else torch.float32, "vector": torch.float32}


def test_a_number_costs_a_byte_a_mean():
    for provider, means in ((AdamW8(AdamW8Settings()), 2), (Lion8(Lion8Settings()), 1)):
        tensors = {"matrix": parameters()["matrix"]}
        optimizer = built(provider, tensors)
        course(tensors, optimizer)
        held = [value for key, value in optimizer.state[tensors["matrix"]].items() if key.startswith(("state", "absmax"))]
        count = tensors["matrix"].numel()
        assert sum(value.numel() * value.element_size() for value in held) == means * (count + 4 * count // 256)
