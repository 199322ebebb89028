"""What is handed to torch.optim is what was asked for: the same weights as by hand, over some steps."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_torch.api import Trained
from tunesmith_torch_optim.adafactor import Adafactor
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.estimate import adafactor
from tunesmith_torch_optim.muon import Muon
from tunesmith_torch_optim.settings import AdafactorSettings, AdamWSettings, MuonSettings, SGDSettings
from tunesmith_torch_optim.sgd import SGD

SIZES = {"matrix": (12, 8), "embedding": (20, 8), "vector": (8,)}
RATE, DECAY, STEPS = 0.02, 0.1, 6


def parameters():
    drawn = torch.Generator().manual_seed(3)
    return {name: torch.nn.Parameter(torch.randn(size, generator=drawn)) for name, size in SIZES.items()}


def course(tensors, optimizers):
    drawn = torch.Generator().manual_seed(4)
    for _ in range(STEPS):
        for p in tensors.values():
            p.grad = torch.randn(p.shape, generator=drawn)
        for optimizer in optimizers:
            optimizer.step()
    return {name: p.detach().clone() for name, p in tensors.items()}


def by_adamw(*tensors, weight_decay=DECAY, **more):
    return torch.optim.AdamW(tensors, lr=RATE, weight_decay=weight_decay, **more)


#: provider -> the same by hand
BY_HAND = {
    "adamw": (
        AdamW(AdamWSettings(weight_decay=DECAY, beta1=0.8, beta2=0.9)),
        lambda t: [
            by_adamw(t["matrix"], t["embedding"], betas=(0.8, 0.9), fused=True),
            by_adamw(t["vector"], betas=(0.8, 0.9), weight_decay=0.0, fused=True),
        ],
    ),
    "muon": (
        Muon(MuonSettings(weight_decay=DECAY, momentum=0.8)),
        lambda t: [
            torch.optim.Muon([t["matrix"]], lr=RATE, weight_decay=DECAY, momentum=0.8, adjust_lr_fn="match_rms_adamw"),
            by_adamw(t["embedding"], fused=True),
            by_adamw(t["vector"], weight_decay=0.0, fused=True),
        ],
    ),
    "adafactor": (
        Adafactor(AdafactorSettings(weight_decay=DECAY, beta2_decay=-0.5)),
        lambda t: [
            torch.optim.Adafactor([t["matrix"], t["embedding"]], lr=RATE, weight_decay=DECAY, beta2_decay=-0.5),
            torch.optim.Adafactor([t["vector"]], lr=RATE, beta2_decay=-0.5),
        ],
    ),
    "sgd": (
        SGD(SGDSettings(weight_decay=DECAY, momentum=0.5, nesterov=True)),
        lambda t: [
            torch.optim.SGD([t["matrix"], t["embedding"]], lr=RATE, weight_decay=DECAY, momentum=0.5, nesterov=True),
            torch.optim.SGD([t["vector"]], lr=RATE, momentum=0.5, nesterov=True),
        ],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_it_is_torch_s(name: str):
    provider, by_hand = BY_HAND[name]
    ours, theirs = parameters(), parameters()
    told = [Trained(key, p, decay=p.ndim > 1, embedding=key == "embedding") for key, p in ours.items()]
    mine = course(ours, [provider.build(told, learning_rate=RATE, device="cpu")])
    for key, expected in course(theirs, by_hand(theirs)).items():
        assert torch.equal(mine[key], expected), key


def test_muon_takes_what_has_no_matrix_and_what_has_nothing_else():
    for key in SIZES:
        tensors = {key: parameters()[key]}
        told = [Trained(key, tensors[key], embedding=key == "embedding")]
        course(tensors, [Muon(MuonSettings()).build(told, learning_rate=RATE, device="cpu")])


def test_looking_ahead_along_no_momentum_is_refused():
    with pytest.raises(UserError, match="nesterov") as told:
        SGD(SGDSettings(momentum=0.0, nesterov=True))
    assert told.value.code == "TS-TRAIN-051"


def test_of_an_adapter_s_narrow_matrices_adafactor_is_not_estimated_to_keep_nothing():
    assert adafactor(EstimateRequest({}))["state"] == 1.0
