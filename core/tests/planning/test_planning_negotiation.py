"""Needs meet capabilities before anything runs; what the planner may choose, it chooses with a reason."""

import pytest

from tunesmith.contracts import Need, Provider

TARGET = "made_up:Nothing"
TUNE = "model: shelf://base\nsteps:\n  tune: {{teach: {objective}, adapter: {adapter}, data: {data}}}\n"


def tune(objective="echo", adapter="tilt", data="train.jsonl"):
    return TUNE.format(objective=objective, adapter=adapter, data=data)


def step(plan, name="tune"):
    return next(step for step in plan.steps if step.name == name)


def chosen(plan, slot, name="tune"):
    return step(plan, name).choices[slot].record.name


def reasons(plan, name="tune"):
    return {d.what: d.reason for d in plan.decisions if d.step == name}


def test_who_requires_what_who_lacks_it_and_what_to_use_instead(problems):
    (found,) = problems(tune("contrast", "whole", "pairs.jsonl"))
    assert found.code == "TS-PLAN-003"
    assert "tunesmith.yaml:3" in found.what
    assert "the objective `contrast` requires `reference`, and the adapter `whole` does not have it" in found.what
    assert found.why == "because it compares with the model before training"
    assert found.fix == "Use `tilt` or `glue` as the adapter."


def test_every_conflict_is_told_at_once(problems):
    yaml = (
        tune("contrast", "whole", "pairs.jsonl")
        + "  again: {teach: contrast, adapter: {whole: }, data: pairs.jsonl}\n  x: {quantize: ternary}\n"
    )
    found = problems(yaml)
    assert [p.code for p in found] == ["TS-PLAN-003"] * 3
    assert "the quantizer `ternary` does not run on `abacus`" in found[2].what


def test_a_conflict_is_told_even_where_an_input_is_missing(problems):
    found = problems(tune("contrast", "whole", "absent.jsonl"))
    assert {p.code for p in found} == {"TS-PLAN-003", "TS-DATA-001"}


def test_a_partial_capability_is_a_warning_that_says_what_is_missing(planner):
    plan = planner(tune("contrast", "glue", "pairs.jsonl"))
    (warning,) = [warning for warning in plan.warnings if "has it only in part" in warning]
    assert "because it compares with the model before training; glue leaves a trace" in warning


def test_an_unknown_capability_is_a_warning_and_under_strict_an_error(planner, problems):
    yaml = tune("contrast", "fog", "pairs.jsonl")
    assert any("does not say whether it has it" in warning for warning in planner(yaml).warnings)
    (found,) = problems(yaml, strict=True)
    assert found.code == "TS-PLAN-004"
    assert "`tilt`" in found.fix


def test_auto_takes_the_highest_priority_that_fits(planner):
    plan = planner(tune(adapter="auto"))
    assert chosen(plan, "adapter") == "whole"
    assert "priority" in reasons(plan)["adapter: whole"]


def test_auto_passes_over_what_conflicts_and_says_why(planner):
    plan = planner(tune("contrast", "auto", "pairs.jsonl"))
    assert chosen(plan, "adapter") == "tilt"
    assert "not `whole`: the objective `contrast` requires `reference`" in reasons(plan)["adapter: tilt"]


def test_auto_prefers_what_vouches_for_itself_to_what_is_silent(planner, world):
    loud = ("adapter", Provider("silent", "says nothing", TARGET, accepts=("model/hf",), produces=("adapter/s",), priority=99))
    plan = planner(tune("contrast", "auto", "pairs.jsonl"), world(extra=[loud]))
    assert chosen(plan, "adapter") == "tilt"


def test_a_strategy_for_many_devices_is_chosen_only_where_there_are_many(planner, world, make_device):
    registry = world(without=["acme-solo"])
    many = planner(tune(), registry, {"loom": [make_device(), make_device()]})
    assert chosen(many, "strategy") == "relay"
    assert step(many).placement.processes == 2
    assert step(many).placement.device == "loom"
    assert step(planner(tune())).placement.processes == 1


def test_what_a_device_computes_in_is_asked_of_the_device(problems, world, make_device):
    picky = (
        "quantizer",
        Provider("fine", "picky", TARGET, accepts=("model/hf",), needs=(Need("device_backend", "dtype.bfloat16", "it is finer"),)),
    )
    (found,) = problems("model: shelf://base\nsteps:\n  a: {quantize: fine}\n", world(extra=[picky]))
    assert "requires `dtype.bfloat16`" in found.what


def test_a_need_holds_only_for_the_settings_it_names(planner, problems, world):
    needy = (
        "objective",
        Provider("needy", "sometimes", TARGET, accepts=("dataset/chat",), needs=(Need("adapter", "reference", "why", {"mode": 1}),)),
    )
    assert planner(tune("needy", "whole"), world(extra=[needy])).steps
    always = ("objective", Provider("needy", "always", TARGET, accepts=("dataset/chat",), needs=(Need("adapter", "reference", "why"),)))
    assert problems(tune("needy", "whole"), world(extra=[always]))


def test_a_need_of_what_the_step_does_not_have_is_a_conflict(problems, world):
    lonely = ("quantizer", Provider("lonely", "wants company", TARGET, accepts=("model/hf",), needs=(Need("adapter", "reference", "why"),)))
    (found,) = problems("model: shelf://base\nsteps:\n  a: {quantize: lonely}\n", world(extra=[lonely]))
    assert "an adapter, and there is none in this step" in found.what


def test_a_producers_silence_is_followed_back_to_who_knows(planner, world):
    asker = ("quantizer", Provider("asker", "asks back", TARGET, accepts=("model/hf",), needs=(Need("producer", "merge", "why"),)))
    plan = planner(tune() + "  small: {quantize: asker, from: tune}\n", world(extra=[asker]))
    assert [s.name for s in plan.steps][-2:] == ["tune.fold", "small"]
    assert not plan.warnings


def test_the_device_of_highest_priority_that_every_provider_runs_on_is_taken(planner, make_device):
    both = {"abacus": [make_device()], "loom": [make_device()]}
    plan = planner("model: shelf://base\nsteps:\n  a: {quantize: ternary}\n  b: {quantize: binary, device: abacus}\n", devices=both)
    assert [step(plan, name).placement.device for name in "ab"] == ["loom", "abacus"]
    assert step(plan, "model").placement.device == "cpu"
    assert any(d.what == "device: loom" for d in plan.decisions)


def test_the_pipelines_device_holds_for_inserted_steps_too(planner, make_device):
    both = {"abacus": [make_device()], "loom": [make_device()]}
    plan = planner("device: abacus\n" + tune() + "  small: {quantize: binary, from: tune}\n", devices=both)
    assert step(plan, "tune.fold").placement.device == "abacus"


def test_no_device_at_all_is_a_warning(planner):
    plan = planner(tune(), devices={})
    assert step(plan).placement.torch == "cpu"
    assert any("no device backend" in warning for warning in plan.warnings)


def test_nothing_to_choose_from_says_what_to_install(problems, world):
    (found,) = problems(tune(), world(without=["acme-solo", "acme-relay"]))
    assert found.code == "TS-PLAN-005"
    assert "no trainer strategy is installed" in found.what


def test_a_provider_that_must_be_told_something_is_never_chosen_by_itself(problems, world):
    found = problems("model: shelf://base\nsteps:\n  a: {evaluate: exam}\n")
    assert found[0].code == "TS-SPEC-020"
    assert "subject" in found[0].what


@pytest.mark.parametrize("seed", ["", "seed: 7\n"])
def test_a_step_has_the_pipelines_seed_unless_it_has_its_own(planner, seed):
    plan = planner(seed + tune() + "  b: {quantize: binary, seed: 3}\n")
    assert step(plan).seed == (7 if seed else 0)
    assert step(plan, "b").seed == 3
    assert step(plan, "model").seed == 0
    assert step(plan, "data:train").seed == 0


def test_a_need_of_some_formats_holds_for_those_alone(planner, problems, world):
    need = Need("producer", "api.whisper", "it listens closely", formats=("endpoint/*",))
    both = ("model/hf", "endpoint/openai")
    ear = ("evaluator", Provider("ear", "how loud", TARGET, accepts=both, needs=(need,), facts={"metrics": {"loud": {}}}))
    horn = Provider(
        "horn", "a loud engine", TARGET, accepts=("model/hf",), produces=("endpoint/openai",), capabilities={"api.whisper": "none"}
    )
    registry = world(extra=[ear, ("inference_backend", horn)])
    here = "model: shelf://base\nsteps:\n  score: {evaluate: ear}\n"
    assert not planner(here, registry).warnings
    served = "model: shelf://base\nsteps:\n  api: {{serve: {}}}\n  score: {{evaluate: ear, from: api}}\n"
    assert any("`api.whisper`" in warning for warning in planner(served.format("kettle"), registry).warnings)
    (found,) = problems(served.format("horn"), registry)
    assert found.code == "TS-PLAN-003"
    assert "the evaluator `ear` requires `api.whisper`, and the inference backend `horn` does not have it" in found.what
