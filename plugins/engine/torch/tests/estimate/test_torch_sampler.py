"""Whether an endpoint can write a training step's completions is said in the plan, with the memory of both."""

from __future__ import annotations

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_online_dpo.asks import asks, parts
from tunesmith_online_dpo.settings import OnlinePreferenceSettings
from tunesmith_torch.estimate.sampler import check_sampler, sampler_memory

LORA = {"produces": ["adapter/peft"], "low_rank": True}
WHOLE = {"produces": ["model/hf"]}
WRITER = {"config": {"hidden_size": 64}, "memory": 2.0**31, "settings": {"updatable": True}}


def request(**changed) -> EstimateRequest:
    given = {"config": {"hidden_size": 64}, "inputs": ("data", "sampler"), "facts": LORA, "models": {"sampler": WRITER}}
    return EstimateRequest(**given | changed)


def test_the_memory_of_both_is_one_sum_and_the_grade_of_going_on_is_told():
    told = check_sampler(request())
    assert told[0] == ("its memory and the sampler's are counted together", "both live while it trains; 2.0 GiB of it are the sampler's")
    assert "the same in distribution, not to the byte" in told[1][1]
    assert sampler_memory(request()) == {"sampler": 2.0**31}
    assert sampler_memory(request(processes=2)) == {"sampler": 2.0**30}
    assert check_sampler(request(inputs=("data",))) == ()
    assert sampler_memory(request(models={})) == {}


def test_whole_weights_are_given_to_a_backend_that_takes_them():
    takes = {"sampler": {**WRITER, "facts": {"takes": ["adapter/peft", "model/hf"]}}}
    assert check_sampler(request(facts=WHOLE, models=takes)) == check_sampler(request())
    assert check_sampler(request(facts=WHOLE, models={}))  # of an endpoint of elsewhere it is looked at when it is there


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("TS-TRAIN-132", {"facts": WHOLE, "models": {"sampler": {**WRITER, "facts": {"takes": ["adapter/peft"]}}}}),
        ("TS-TRAIN-132", {"facts": {"produces": ["adapter/peft"]}}),
        ("TS-TRAIN-132", {"parts": {"adapter": {"quantized": 1e6}}}),
        ("TS-TRAIN-133", {"models": {"sampler": {**WRITER, "settings": {"updatable": False}}}}),
        ("TS-TRAIN-135", {"models": {"sampler": {**WRITER, "config": {"hidden_size": 32}}}}),
    ],
)
def test_what_can_not_come_to_an_end_is_refused(code, changed):
    with pytest.raises(UserError, match=code):
        check_sampler(request(**changed))


@pytest.mark.parametrize("cut", [{"top_p": 0.9}, {"top_k": 5}, {"min_p": 0.1}])
def test_a_cut_distribution_is_refused_with_a_sampler_alone(cut):
    settings = {"rewards": ["exact"], **cut}
    assert parts(EstimateRequest(settings=settings)) == asks(OnlinePreferenceSettings(**settings)).parts
    with pytest.raises(UserError, match="TS-TRAIN-134"):
        parts(EstimateRequest(settings=settings, inputs=("sampler",)))
