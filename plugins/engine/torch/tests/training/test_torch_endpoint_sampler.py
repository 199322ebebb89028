"""Completions may be written by an endpoint, given the adapter each time it has changed. The engine is a fake; its channel is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fake_policy import FakePolicy, endpoint
from reinforcement import ROWS, Vowels, ledger
from reinforcement import adapter as adapter_bytes

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_torch.model.loader import load_model
from tunesmith_torch.training.experience.groups import sequence_of
from tunesmith_torch.training.failures.recovery import TRIES, remedy

TWO_STEPS = {"batch_size": 3, "save_steps": 1}


def trained(bench, sampler, name="tune", settings=TWO_STEPS, adapter=None, **sampling):
    """The objective, the output and the ledger of a run whose completions an endpoint writes."""
    objective = Vowels(**sampling)
    bench.before = lambda step: step.inputs.update(sampler=sampler)
    output, _ = bench.train(settings, rows=ROWS, objective=objective, name=name, adapter=adapter)
    return objective, output, ledger(output)


def test_each_collection_is_written_with_the_adapter_as_it_is_then(bench):
    policy = FakePolicy(bench.base)
    with endpoint(policy) as sampler:
        objective, _, lines = trained(bench, sampler, temperature=0.7)
    assert policy.loaded == [0, 1]
    assert [line["version"] for line in lines] == [0] * 12 + [1] * 12
    assert any("sampler and training step agree" in params.get("what", "") for _, params in bench.notices)
    assert len(bench.series("sampler_update_seconds")) == 2
    first, base = objective.seen[0], load_model(bench.base)  # LoRA begins with no change
    given = torch.log_softmax(base(torch.tensor([sequence_of(first).tokens])).logits[0].float() / 0.7, 1)
    wanted = given[len(first.prompt) - 1 : -1].gather(1, torch.tensor(first.completion)[:, None])[:, 0]
    assert lines[0]["log_probs"] == pytest.approx(wanted.tolist(), abs=1e-4)


def test_each_collection_is_written_by_the_whole_weights_as_they_are_then(bench):
    policy = FakePolicy(bench.base)
    with endpoint(policy) as sampler:
        _, output, lines = trained(bench, sampler, adapter=Full(FullSettings(save_dtype="float32")))
    assert policy.loaded == [0, 1]
    assert [line["version"] for line in lines] == [0] * 12 + [1] * 12
    own, start = load_model(replace(bench.base, path=output)).state_dict(), load_model(bench.base).state_dict()
    assert any(not torch.equal(own[name], start[name]) for name in start)
    assert any(not torch.equal(policy.model.state_dict()[name], start[name]) for name in start)


def test_whole_weights_are_given_to_none_that_takes_adapters_alone(bench):
    policy = FakePolicy(bench.base)
    policy.takes = ("adapter/peft",)
    with endpoint(policy) as sampler, pytest.raises(UserError, match=r"TS-TRAIN-132"):
        trained(bench, sampler, adapter=Full(FullSettings()))


def test_one_that_sleeps_is_woken_for_each_collection_and_sleeps_while_the_model_learns(bench):
    policy = FakePolicy(bench.base)
    policy.sleeps = True
    with endpoint(policy) as sampler:
        trained(bench, sampler)
    assert policy.slept == ["wake", "sleep"] * 2
    policy.slept.clear()
    with endpoint(policy) as sampler:  # a collection is written while another one is learned from: it has to stay awake
        trained(bench, sampler, name="ahead", one_step_off_policy=True)
    assert "sleep" not in policy.slept


def test_one_step_off_it_writes_ahead_by_the_policy_that_it_was_given(bench):
    policy = FakePolicy(bench.base)
    with endpoint(policy) as sampler:
        _, _, lines = trained(bench, sampler, settings={"batch_size": 2}, one_step_off_policy=True)
    assert policy.loaded == [0, 1]
    assert [line["version"] for line in lines[::8]] == [0, 0, 1]


def test_log_probabilities_beyond_the_engines_bound_stop_it_before_the_first_step(bench):
    with endpoint(FakePolicy(bench.base, shift=0.01)) as sampler, pytest.raises(TunesmithError, match="TS-TRAIN-121") as caught:
        trained(bench, sampler)
    assert "up to 0.001 with this sampler" in caught.value.why
    assert not bench.series("loss")


def test_another_version_of_the_policy_stops_it(bench):
    with endpoint(FakePolicy(bench.base, lag=1)) as sampler, pytest.raises(TunesmithError, match="TS-TRAIN-137"):
        trained(bench, sampler)


def test_a_sampler_that_dies_stops_it_and_it_goes_on_from_the_checkpoint(bench):
    policy = FakePolicy(bench.base, dies_at=2)
    with endpoint(policy) as sampler:
        with pytest.raises(TunesmithError, match="TS-TRAIN-136") as caught:
            trained(bench, sampler)
        assert "it was killed" in caught.value.why
        _, output, lines = trained(bench, sampler)
    assert policy.loaded == [0, 1, 1]  # the first step is not done again
    assert len(lines) == 24
    assert adapter_bytes(output)


def test_a_sampler_that_does_not_answer_is_tried_again_from_the_checkpoint():
    for code in ("TS-TRAIN-136", "TS-TRAIN-137"):
        error = TunesmithError(code, "The sampler `writer` does not answer")
        found = remedy({}, error, 1)
        assert found is not None
        assert found.resume
        assert remedy({}, error, TRIES) is None


def test_an_endpoint_of_another_model_or_one_that_takes_no_adapters_is_refused_before_a_model_is_loaded(bench):
    with endpoint(FakePolicy(bench.base)) as sampler:
        other = replace(sampler, refs={"model": replace(bench.base, digest="sha256:other")})
        with pytest.raises(UserError, match="TS-TRAIN-135"):
            trained(bench, other)
        plain = replace(sampler, meta={"url": sampler.meta["url"], "model": "bot"})
        with pytest.raises(UserError, match="TS-TRAIN-133"):
            trained(bench, plain)
