"""One process: what trains is optimised, clipped, saved and restored."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import Placement
from tunesmith_single.strategy import SingleProcess


def made(seed: int = 0):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    model[0].weight.requires_grad_(False)
    strategy = SingleProcess()
    model, optimizer = strategy.wrap(model, lambda named: torch.optim.AdamW([one for _, one in named], lr=0.1, fused=True))
    return strategy, model, optimizer


def learn(model, optimizer, steps: int) -> None:
    for step in range(steps):
        model(torch.full((1, 3), float(step + 1))).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()


def test_it_computes_where_it_is_placed():
    assert SingleProcess().start(Placement(torch="cpu")) == torch.device("cpu")


def test_only_what_trains_is_optimised():
    _, _, optimizer = made()
    assert sum(p.numel() for group in optimizer.param_groups for p in group["params"]) == 4 + 8 + 2


@pytest.mark.parametrize(("limit", "after"), [(1.0, 1.0), (0.0, 10.0)])
def test_clipping_tells_the_norm_before_and_zero_does_not_clip(limit, after):
    strategy, model, _ = made()
    model[1].bias.grad = torch.tensor([6.0, 8.0])
    assert strategy.clip(model, limit) == pytest.approx(10.0)
    assert float(model[1].bias.grad.norm()) == pytest.approx(after, rel=1e-4)


def test_a_restored_state_goes_on_bit_for_bit():
    strategy, model, optimizer = made()
    learn(model, optimizer, 3)
    state = strategy.state(model, optimizer)
    state = {part: {name: tensor.clone() for name, tensor in tensors.items()} for part, tensors in state.items()}
    learn(model, optimizer, 2)
    _, other, its_optimizer = made(seed=0)
    strategy.load_state(other, its_optimizer, state)
    learn(other, its_optimizer, 2)
    for ours, theirs in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_state_of_other_parameters_is_refused():
    strategy, model, optimizer = made()
    state = strategy.state(model, optimizer)
    state["model"].pop(next(iter(state["model"])))
    with pytest.raises(ValueError, match="other names"):
        strategy.load_state(model, optimizer, state)
