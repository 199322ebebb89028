"""Formats are types: what does not fit is converted, or it is said what to write."""

import pytest
from made_up_plugins import TiltSettings

from tunesmith.contracts import Input, Provider, Verb
from tunesmith.contracts.artifacts import fits

HEAD = "model: shelf://base\nsteps:\n  tune: {teach: echo, adapter: tilt, data: train.jsonl}\n"


def names(plan):
    return [step.name for step in plan.steps]


def step(plan, name):
    return next(step for step in plan.steps if step.name == name)


def test_a_conversion_is_inserted_with_its_reason(planner):
    plan = planner(HEAD + "  small: {quantize: binary, from: tune}\n")
    assert names(plan) == ["model", "data:train", "tune", "tune.fold", "small"]
    fold = step(plan, "tune.fold")
    assert fold.inserted
    assert fold.format == "model/hf"
    assert fold.source == "tune"
    assert step(plan, "small").inputs["model"].step == "tune.fold"
    assert any(d.step == "tune.fold" and "small" in d.reason and "adapter/tilt" in d.reason for d in plan.decisions)


def test_two_readers_of_the_same_conversion_share_it(planner):
    plan = planner(HEAD + "  small: {quantize: binary, from: tune}\n  score: {evaluate: surprise, from: tune}\n")
    assert names(plan).count("tune.fold") == 1
    assert step(plan, "score").inputs["model"].step == "tune.fold"
    assert step(plan, "score").source == "tune"


def test_a_service_is_inserted_for_what_reads_an_endpoint(planner):
    plan = planner(HEAD + "  score: {evaluate: politeness, from: tune}\n")
    assert names(plan)[-3:] == ["tune.fold", "tune.fold.serve", "score"]
    assert step(plan, "tune.fold.serve").verb.service
    assert step(plan, "score").source == "tune"


def test_a_packed_model_is_unpacked_and_the_loss_is_told(planner):
    plan = planner(HEAD.replace("shelf://base", "shelf://packed/base"))
    assert step(plan, "tune").inputs["model"].step == "model.export"
    (reason,) = (d.reason for d in plan.decisions if d.step == "model.export")
    assert reason.endswith("it changes the precision. Not as it is, because a tilt needs room")


def test_a_conversion_that_loses_something_is_proposed_with_the_lines_to_add(problems, planner, make_device):
    devices = {"loom": [make_device()]}
    (found,) = problems(HEAD + "  api: {serve: pot, from: tune}\n", devices=devices)
    assert found.code == "TS-PLAN-002"
    line = "  tune-quantize: {quantize: ternary, from: tune}"
    assert line in found.fix
    assert "`from: tune-quantize`" in found.fix
    plan = planner(HEAD + line + "\n  api: {serve: pot, from: tune-quantize}\n", devices=devices)
    assert names(plan)[-3:] == ["tune.fold", "tune-quantize", "api"]


def test_what_no_converter_reaches_names_who_reads_what(problems):
    (found,) = problems(HEAD + "  small: {quantize: binary, from: tune}\n  tiny: {quantize: binary, from: small}\n")
    assert found.code == "TS-PLAN-001"
    assert "tunesmith.yaml:5" in found.what
    for word in ("`binary`", "model/hf", "model/binary"):
        assert word in found.what


def test_an_adapter_says_why_it_can_not_go_on_a_base(problems):
    steps = "  small: {quantize: binary, from: tune}\n  again: {teach: echo, adapter: tilt, data: train.jsonl, from: small}\n"
    (found,) = problems(HEAD + steps)
    assert found.code == "TS-PLAN-001"
    assert found.why == "Because a tilt needs numbers between the two."


def test_a_conversion_that_an_adapter_forbids_is_told_with_the_reason(problems):
    (found,) = problems(HEAD.replace("tilt", "glue") + "  small: {quantize: binary, from: tune}\n")
    assert found.code == "TS-PLAN-001"
    assert "fold would help" in found.why
    assert "`glue` does not have it" in found.why


def test_another_provider_that_takes_the_format_is_named(problems):
    (found,) = problems("model: shelf://ternary/base\nsteps:\n  api: {serve: kettle}\n")
    assert "Use `pot` as the inference backend" in found.fix


@pytest.mark.parametrize("value", ["", "{}", "null"])
def test_a_verb_without_providers_is_written_with_nothing(planner, value):
    plan = planner(HEAD + f"  merged:\n    fold: {value}\n    from: tune\n")
    assert step(plan, "merged").choices["adapter"].record.name == "tilt"


def test_a_slot_filled_by_the_producer_has_the_producers_settings(planner):
    plan = planner(HEAD.replace("tilt", "{tilt: {angle: 3}}") + "  merged: {fold: {}, from: tune}\n")
    assert step(plan, "merged").choices["adapter"].settings == {"angle": 3, "side": "left"}


def test_an_adapter_from_elsewhere_is_folded_by_the_one_that_writes_its_format(planner):
    plan = planner("model: shelf://tilt/made-elsewhere\nsteps:\n  merged: {fold: {}}\n")
    assert step(plan, "merged").choices["adapter"].record.name == "tilt"


def test_a_chain_that_runs_here_is_taken_before_a_shorter_one_that_needs_an_environment_of_its_own(planner, world):
    shortcut = Provider("spout", "serves what is packed", "made_up:Thing", accepts=("model/packed",), produces=("endpoint/openai",))
    registry = world(extra=[("inference_backend", shortcut)])
    yaml = "model: shelf://packed/base\nsteps:\n  score: {evaluate: politeness}\n"
    assert "model.export" not in names(planner(yaml, registry))
    plan = planner(yaml, registry, preferences={"acme-extra": "isolated"})
    assert names(plan)[-3:] == ["model.export", "model.export.serve", "score"]


ROLES = [
    ("objective", Provider("rank", "gives marks", "made_up:Thing", accepts=("dataset/chat",), facts={"role": "marks"})),
    ("evaluator", Provider("marks", "reads marks", "made_up:Thing", accepts=("model/hf+marks",))),
]
RANKED = "model: shelf://base\nsteps:\n  tune: {teach: rank, adapter: tilt, data: train.jsonl}\n"


def test_a_role_is_handed_on_by_a_conversion_to_those_that_ask_for_it(planner, world):
    plan = planner(RANKED + "  score: {evaluate: marks, from: tune}\n", world(extra=ROLES))
    assert step(plan, "tune").format == "adapter/tilt+marks"
    assert step(plan, "tune.fold").format == "model/hf+marks"


def test_who_reads_models_is_given_none_that_has_become_something_else(problems, world):
    (found,) = problems(RANKED + "  score: {evaluate: surprise, from: tune}\n", world(extra=ROLES))
    assert found.code == "TS-PLAN-015"
    assert "reads a model that gives text, but `tune` makes a `marks` model (adapter/tilt+marks)" in found.what
    assert found.fix == "Read a step that makes a model that gives text. Use `marks` as the evaluator."


def test_where_a_conversion_is_missing_too_it_is_not_the_role_that_is_told(problems, world):
    yaml = "model: shelf://packed/base\nsteps:\n  score: {evaluate: marks}\n"
    (found,) = problems(yaml, world(extra=ROLES, without=["acme-unpack"]))
    assert found.code == "TS-PLAN-001"


def test_a_step_that_brings_a_model_is_planned_with_all_that_its_loader_says(planner):
    plan = planner("model: shelf://base\nsteps:\n  large: {download: shelf, settings: {uri: shelf://packed/large}}\n")
    large = step(plan, "large")
    assert (large.format, large.settings["revision"]) == ("model/packed", "r1")
    assert large.settings["files"] == {"weights": {"size": 10_000_000}}


@pytest.mark.parametrize(("named", "uri", "what", "fix"), [
    ("shelf", "nowhere://large", "no installed model loader serves `nowhere://large`", "Schemes: attic://, file:// or shelf://"),
    ("attic", "shelf://large", "`shelf://large` is no address of `attic`", "Write `download: shelf`."),
])  # fmt: skip
def test_its_address_is_one_that_the_loader_serves(problems, world, named, uri, what, fix):
    attic = Provider("attic", "an attic", "made_up:Nothing", facts={"schemes": ["attic"]}, produces=("model/hf",))
    (found,) = problems(f"steps:\n  large: {{download: {named}, settings: {{uri: {uri}}}}}\n", world(extra=[("model_loader", attic)]))
    assert found.code == "TS-SPEC-013"
    assert what in found.what
    assert "tunesmith.yaml:2" in found.what
    assert fix.replace("`", "") in found.fix.replace("`", "")


JUDGES = [
    ("evaluator", Provider("contest", "which is better", "made_up:Thing", accepts=("model/hf",), facts={"data": ["dataset/preference"]})),
    (
        "evaluator",
        Provider("quiz", "right answers", "made_up:Thing", accepts=("model/hf",), facts={"data": ["dataset/chat", "dataset/text"]}),
    ),
]


@pytest.mark.parametrize(("step", "code", "what"), [
    ("{evaluate: contest}", "TS-PLAN-010", "`score` has no `data`"),
    ("{evaluate: surprise, data: train.jsonl}", "TS-PLAN-014", "`surprise` has no use for `data`"),
    ("{evaluate: contest, data: two}", "TS-PLAN-001", "the evaluator `contest` reads `dataset/preference`, but `two` makes dataset/chat"),
])  # fmt: skip
def test_an_evaluator_is_given_rows_that_it_reads_and_no_others(problems, world, step, code, what):
    mixing = Verb("mixing", "a dataset of another", "made_up:Thing", produces=("dataset/chat",), inputs=(Input("model", "any"),))
    registry = world(extra=[*JUDGES, ("verb", mixing)])
    two = "  two: {mixing: {}}\n" if "two" in step else ""
    (found,) = problems(f"model: shelf://base\nsteps:\n{two}  score: {step}\n", registry)
    assert found.code == code
    assert what in found.what
    if code == "TS-PLAN-001":
        assert found.fix == "Use `quiz` as the evaluator."


def test_files_are_read_in_a_format_that_the_evaluator_reads(planner, world):
    plan = planner("model: shelf://base\nsteps:\n  score: {evaluate: quiz, data: train.jsonl}\n", world(extra=JUDGES))
    assert "score" in names(plan)


def test_who_reads_a_role_is_given_no_model_without_it(problems, world):
    (found,) = problems("model: shelf://base\nsteps:\n  score: {evaluate: marks, from: model}\n", world(extra=ROLES))
    assert found.code == "TS-PLAN-015"
    assert "reads a `marks` model, but `model` makes a model that gives text" in found.what


@pytest.mark.parametrize(
    ("format", "pattern", "taken"),
    [
        ("model/hf", "model/*", True), ("model/hf+marks", "model/*", False), ("model/hf+marks", "model/*+*", True),
        ("model/hf", "model/*+*", True), ("model/hf", "model/hf+marks", False), ("model/hf+marks", "model/hf+other", False),
    ],
)  # fmt: skip
def test_a_pattern_takes_roles_only_where_it_names_them(format, pattern, taken):
    assert fits(format, (pattern,)) is taken


LEAN = Provider(
    "lean", "leans, and can lean further", "made_up:Thing", TiltSettings, accepts=("model/hf",), produces=("adapter/lean",),
    capabilities={"merge": "full", "continues": "full"},
)  # fmt: skip
LEANING = (
    HEAD.replace("tilt", "{lean: {angle: 2}}") + "  again: {teach: echo, adapter: {lean: {angle: ANGLE}}, from: tune, data: train.jsonl}\n"
)


def test_an_adapter_goes_on_with_what_it_made_with_the_same_settings(planner, world):
    plan = planner(LEANING.replace("ANGLE", "2"), world(extra=[("adapter", LEAN)]))
    assert names(plan) == ["model", "data:train", "tune", "again"]
    assert step(plan, "again").inputs["model"].format == "adapter/lean"
    (decision,) = (d for d in plan.decisions if d.step == "again" and d.what.startswith("goes on"))
    assert "nothing is converted or rounded" in decision.reason


def test_one_with_other_settings_is_folded_in_first_and_it_is_said_why(planner, world):
    plan = planner(LEANING.replace("ANGLE", "3"), world(extra=[("adapter", LEAN)]))
    assert names(plan)[-2:] == ["tune.fold", "again"]
    (decision,) = (d for d in plan.decisions if d.step == "tune.fold")
    assert "`lean` does not go on with what `tune` made: `angle` is 2 there and 3 here" in decision.reason
