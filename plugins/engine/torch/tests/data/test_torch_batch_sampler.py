"""How data is ordered, dealt and cut: for any lengths."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.micro_batch import cut, deal, micro_batches
from tunesmith_torch.training.lr_scheduler import rate

lengths = st.lists(st.integers(1, 500), min_size=1, max_size=60)


@given(lengths, st.integers(1, 600))
def test_a_cut_holds_every_group_once_and_keeps_to_the_budget(sizes, budget):
    micros = cut(sizes, budget)
    assert sorted(index for micro in micros for index in micro) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in micro) <= budget or len(micro) == 1 for micro in micros)


@given(lengths, st.integers(1, 600))
def test_a_cut_wastes_less_than_half_of_its_micro_batches(sizes, budget):
    micros = cut(sizes, budget)
    loads = [sum(sizes[i] for i in micro) for micro in micros]
    assert sum(load <= budget / 2 for load in loads) <= 1  # two half-empty ones would have been joined


@given(lengths, st.integers(1, 5), st.integers(1, 600))
def test_ranks_share_a_batch_and_run_equally_many_forwards(sizes, ranks, budget):
    plan = micro_batches(sizes, ranks, budget)
    assert len(plan) == ranks
    assert len({len(micros) for micros in plan}) == 1
    assert sorted(i for micros in plan for micro in micros for i in micro) == list(range(len(sizes)))


@given(lengths, st.integers(1, 5))
def test_ranks_get_about_equally_many_tokens(sizes, ranks):
    loads = [sum(sizes[i] for i in share) for share in deal(sizes, ranks)]
    assert max(loads) - min(loads) <= max(sizes)


@given(st.integers(1, 50), st.integers(1, 12), st.integers(0, 3))
def test_each_epoch_has_every_group_once(groups, batch_size, seed):
    order = BatchSampler(groups, batch_size, seed)
    for epoch in range(2):
        batches = [order.batch(epoch * order.per_epoch + n) for n in range(order.per_epoch)]
        assert sorted(i for batch in batches for i in batch) == list(range(groups))
        assert all(len(batch) <= batch_size for batch in batches)


def test_a_batch_depends_on_its_number_alone():
    jumping, walking = BatchSampler(30, 4, seed=5), BatchSampler(30, 4, seed=5)
    wanted = [walking.batch(n) for n in range(24)]
    assert [jumping.batch(n) for n in (20, 3, 23)] == [wanted[n] for n in (20, 3, 23)]
    assert wanted[0] != BatchSampler(30, 4, seed=6).batch(0)
    assert wanted[:8] != wanted[8:16]  # epochs differ


@pytest.mark.parametrize(("epochs", "max_steps", "steps"), [(1, 0, 8), (2.5, 0, 20), (0.01, 0, 1), (3, 5, 5), (1, 100, 8)])
def test_steps_follow_from_epochs_and_the_limit(epochs, max_steps, steps):
    assert BatchSampler(30, 4, seed=0).steps(epochs, max_steps) == steps


@given(st.sampled_from(["cosine", "linear", "constant"]), st.integers(1, 300), st.floats(0, 1))
def test_the_rate_rises_then_falls_and_never_leaves_its_bounds(schedule_name, steps, warmup):
    shares = [rate(schedule_name, step, steps, warmup) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)


def test_in_a_range_test_the_rate_rises_by_one_factor_to_its_highest():
    shares = [rate("lr_range_test", step, 50, 0.1) for step in range(50)]
    assert shares[-1] == 1
    assert {round(after / before, 9) for before, after in itertools.pairwise(shares)} == {round(1e5 ** (1 / 50), 9)}


def test_rates_are_those_of_transformers_after_the_warm_up():
    torch = pytest.importorskip("torch")
    from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

    for name, make in (("cosine", get_cosine_schedule_with_warmup), ("linear", get_linear_schedule_with_warmup)):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = make(optimizer, 3, 30)
        theirs = []
        for _ in range(30):
            theirs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        assert [rate(name, step, 30, 0.1) for step in range(3, 30)] == pytest.approx(theirs[3:])
