"""The same weights as the authors' packages over many steps, with directions found anew in between."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

import pytest
import torch

from tunesmith_galore.apollo import Apollo
from tunesmith_galore.galore import Galore
from tunesmith_galore.settings import ApolloSettings, GaloreSettings
from tunesmith_torch.api import Trained

SIZES = {"tall": (24, 16), "wide": (10, 30), "vector": (16,), "narrow": (40, 4), "embedding": (50, 12)}
RANK, INTERVAL, RATE, DECAY, STEPS = 6, 4, 0.02, 0.1, 11


def package(name: str, module: str):
    """A module of one of the packages, whose `__init__` imports 8-bit variants that ask for other libraries."""
    if name not in sys.modules:
        found = importlib.util.find_spec(name)
        assert found, f"the oracle {name} is not installed: see tools/requirements-test.txt"
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = list(found.submodule_search_locations)
    return importlib.import_module(f"{name}.{module}")


def parameters():
    drawn = torch.Generator().manual_seed(3)
    return {name: torch.nn.Parameter(torch.randn(size, generator=drawn)) for name, size in SIZES.items()}


def trained(tensors):
    return [Trained(name, p, decay=p.ndim > 1, embedding=name == "embedding") for name, p in tensors.items()]


def course(tensors, optimizer, steps=STEPS):
    drawn = torch.Generator().manual_seed(4)
    for number in range(steps):
        for p in tensors.values():
            p.grad = torch.randn(p.shape, generator=drawn) + 0.3 * p.detach()
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - number / (2 * steps))
        optimizer.step()
    return {name: p.detach().clone() for name, p in tensors.items()}


def theirs(adamw, tensors, extra, **settings):
    wide = {"params": [tensors["tall"], tensors["wide"]], "weight_decay": DECAY, "rank": RANK, "update_proj_gap": INTERVAL, **extra}
    rest = [
        {"params": [tensors["narrow"], tensors["embedding"]], "weight_decay": DECAY},
        {"params": [tensors["vector"]], "weight_decay": 0.0},
    ]
    return adamw([wide, *rest], lr=RATE, eps=1e-6, **settings)


def test_galore_is_its_authors():
    adamw = package("galore_torch", "adamw").AdamW
    ours, others = parameters(), parameters()
    settings = GaloreSettings(rank=RANK, update_proj_gap=INTERVAL, scale=0.25, weight_decay=DECAY)
    mine = course(ours, Galore(settings).build(trained(ours), learning_rate=RATE, device="cpu"))
    extra = {"scale": 0.25, "proj_type": "std"}
    expected = course(others, theirs(adamw, others, extra, no_deprecation_warning=True))
    for name, value in mine.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("per", "scale", "rank"), [("channel", 1.0, RANK), ("tensor", 128.0, 1)])
def test_apollo_is_its_authors(per: str, scale: float, rank: int, monkeypatch: pytest.MonkeyPatch):
    adamw = package("apollo_torch", "apollo").AdamW
    ours, others = parameters(), parameters()
    settings = ApolloSettings(rank=rank, update_proj_gap=INTERVAL, scale=scale, scale_type=per, weight_decay=DECAY)
    extra = {"scale": scale, "proj_type": "std", "proj": "random", "scale_type": per, "rank": rank}
    if rank == 1:
        extra["params"] = [others[name] for name in ("tall", "wide", "narrow")]
        expected = [extra | {"weight_decay": DECAY, "update_proj_gap": INTERVAL}, {"params": [others["embedding"]], "weight_decay": DECAY}]
        expected += [{"params": [others["vector"]], "weight_decay": 0.0}]
        oracle = adamw(expected, lr=RATE, eps=1e-6)
    else:
        oracle = theirs(adamw, others, extra)
    mine = course(ours, Apollo(settings).build(trained(ours), learning_rate=RATE, device="cpu"))
    wanted = course(others, oracle)
    for name, value in mine.items():
        torch.testing.assert_close(value, wanted[name], rtol=1e-5, atol=1e-5)


def test_what_is_not_projected_is_adamw():
    ours, others = parameters(), parameters()
    settings = GaloreSettings(rank=16, weight_decay=0.0, eps=1e-8)
    mine = course(ours, Galore(settings).build(trained(ours), learning_rate=RATE, device="cpu"))
    expected = course(others, torch.optim.AdamW(others.values(), lr=RATE, weight_decay=0.0))
    for name, value in mine.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)


def test_a_low_rank_keeps_little():
    tensors = {"tall": torch.nn.Parameter(torch.randn(300, 200))}
    sizes = {}
    for name, provider in (("galore", Galore(GaloreSettings(rank=4))), ("apollo", Apollo(ApolloSettings(rank=4)))):
        optimizer = provider.build(trained(tensors), learning_rate=RATE, device="cpu")
        course(tensors, optimizer, steps=1)
        sizes[name] = sum(value.numel() for value in optimizer.state[tensors["tall"]].values())
    assert sizes == {"galore": 4 * (2 * 300 + 200) + 1, "apollo": 4 * 2 * 300 + 3}
