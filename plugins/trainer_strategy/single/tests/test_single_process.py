"""One process: what trains is optimised, clipped, saved and restored."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import Placement
from tunesmith_single.strategy import SingleProcess


class Source:
    """Two layers, of which the first matrix is frozen."""

    def load(self, device, *, separate: bool = False):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)).to(device)
        model[0].weight.requires_grad_(False)
        return model


def prepared():
    strategy = SingleProcess()
    strategy.start(Placement(torch="cpu"))
    return strategy.prepare(
        Source(), lambda model: torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.1, fused=True)
    )


def learn(training, steps: int) -> None:
    for step in range(steps):
        batches = [torch.full((1, 3), float(step + 1)), torch.ones(2, 3)]
        training.forward_backward(batches, lambda output, number: output.square().sum() * (number + 1))
        training.step()
        training.zero_grad()


def test_it_computes_where_it_is_placed():
    mesh = SingleProcess().start(Placement(torch="cpu"))
    assert (mesh.device, mesh.data_rank, mesh.data_size) == (torch.device("cpu"), 0, 1)


def test_only_what_trains_is_optimised():
    assert sum(p.numel() for group in prepared().optimizer.param_groups for p in group["params"]) == 4 + 8 + 2


def test_gradients_add_up_over_the_micro_batches():
    training = prepared()
    batches = [torch.ones(1, 3), torch.full((2, 3), 0.5)]
    training.forward_backward(batches, lambda output, number: output.square().sum())
    wanted = torch.autograd.grad(training.model(torch.cat(batches)).square().sum(), training.model[1].weight)[0]
    torch.testing.assert_close(training.model[1].weight.grad, wanted)


def test_what_is_only_judged_has_no_gradients_and_leaves_the_mode_as_it_was():
    training = prepared()
    training.model.train()
    (output,) = training.forward([torch.ones(1, 3)])
    assert (output.requires_grad, training.model.training) == (False, True)


@pytest.mark.parametrize(("limit", "after"), [(1.0, 1.0), (0.0, 10.0)])
def test_clipping_tells_the_norm_before_and_zero_does_not_clip(limit, after):
    training = prepared()
    training.model[1].bias.grad = torch.tensor([6.0, 8.0])
    assert training.clip(limit) == pytest.approx(10.0)
    assert float(training.model[1].bias.grad.norm()) == pytest.approx(after, rel=1e-4)


def test_a_restored_state_goes_on_bit_for_bit(tmp_path):
    training = prepared()
    learn(training, 3)
    training.save_state(tmp_path)
    learn(training, 2)
    other = prepared()
    other.load_state(tmp_path)
    learn(other, 2)
    for ours, theirs in zip(other.model.parameters(), training.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_state_without_the_optimizers_leaves_that_as_it_is(tmp_path):
    training = prepared()
    training.save_state(tmp_path, optimizer=False)
    learn(training, 1)
    moments = len(training.optimizer.state)
    training.load_state(tmp_path)
    assert len(training.optimizer.state) == moments > 0


def test_a_state_of_other_parameters_is_refused(tmp_path):
    training = prepared()
    training.save_state(tmp_path)
    training.model[1].bias.requires_grad_(False)
    with pytest.raises(ValueError, match="other names"):
        training.load_state(tmp_path)
