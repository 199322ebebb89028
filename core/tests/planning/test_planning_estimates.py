"""Memory and disk are known before the run; what can't fit is not started."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.contracts import Device, Estimate, Placement, Provider
from tunesmith.contracts.environment_variables import is_set
from tunesmith.contracts.estimates import EstimateRequest
from tunesmith.planning.estimates import estimators
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.estimates.memory_and_disk import check_disk, estimate
from tunesmith.planning.placement.processes import placement
from tunesmith.planning.plan import Choice
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.selection import Selection
from tunesmith.units import bytes_text
from tunesmith_models import ModelShape

YAML = """\
model: shelf://base
steps:
  tune: {teach: echo, adapter: {tilt: {angle: 10}}, data: train.jsonl}
  api: {serve: kettle, from: tune}
"""
CONFIG = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000,
          "tie_word_embeddings": True}  # fmt: skip
PARAMETERS = ModelShape.from_config(CONFIG).parameters


def step(plan, name):
    return next(step for step in plan.steps if step.name == name)


def test_the_verbs_estimator_is_asked_last_with_the_answers_of_the_others(planner):
    estimate = step(planner(YAML), "tune").estimate
    assert estimate.terms == {"weights": 4.0 * PARAMETERS, "optimizer": 8.0 * 10_000}
    assert estimate.disk == 5000


def test_a_models_shape_is_followed_through_the_graph(planner):
    assert step(planner(YAML), "api").estimate.terms == {"weights": 2.0 * PARAMETERS}


def test_the_size_of_what_is_fetched_counts_as_disk(planner):
    assert step(planner(YAML), "model").estimate.disk == 10_000_000


def test_too_little_free_memory_is_a_warning(planner, make_device):
    plan = planner(YAML, devices={"abacus": [make_device(memory=8e9, free=1000)]})
    assert any(warning.startswith("tune: needs about") and "weights" in warning for warning in plan.warnings)


def test_a_device_that_is_too_small_is_an_error_that_names_the_largest_part(problems, make_device):
    found = problems(YAML, devices={"abacus": [make_device(memory=1000, free=1000)]})
    assert [p.code for p in found] == ["TS-PLAN-008"] * 2
    assert "tunesmith.yaml:3: the step `tune` needs about" in found[0].what
    assert "(weights)" in found[0].fix


def test_an_estimate_that_is_only_a_little_over_is_no_error(planner, make_device):
    needed = 4.0 * PARAMETERS + 80_000
    assert planner(YAML, devices={"abacus": [make_device(memory=needed / 1.1, free=1)]}).warnings


def test_processes_that_share_a_device_add_up(planner, make_device):
    yaml = YAML.replace("data:", "strategy: {relay: {processes: 4}}, data:")
    needed = 4.0 * PARAMETERS + 80_000
    two = {"abacus": [make_device(memory=1e9, free=1.5 * needed), make_device(memory=1e9, free=1.5 * needed)]}
    assert any(warning.startswith("tune: needs about") for warning in planner(yaml, devices=two).warnings)
    assert not planner(yaml.replace("4", "2"), devices=two).warnings


@pytest.mark.parametrize(
    "estimator",
    [
        lambda request: 1 / 0,
        lambda request: Estimate({"weights": float("nan")}),
        lambda request: Estimate({"weights": -1.0}),
        lambda request: "much",
        lambda request: {"part": "much"},
        lambda request: sys.exit,
    ],
)
def test_an_estimator_that_fails_is_a_warning(planner, monkeypatch, estimator):
    monkeypatch.setattr(sys.modules["made_up"], "teach", estimator)
    plan = planner(YAML)
    assert step(plan, "tune").estimate is None
    assert any("tune: the estimate is unknown" in warning for warning in plan.warnings)


def test_an_estimator_that_knows_nothing_says_nothing(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: None)
    plan = planner(YAML)
    assert step(plan, "tune").estimate is None
    assert not plan.warnings


def test_what_an_estimator_says_of_its_figures_and_of_the_way_taken_is_in_the_plan(planner, monkeypatch):
    said = Estimate({"weights": 1.0}, notes=("a guess",), decisions=(("the short way", "the model is small"),))
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: said)
    assert {("its memory", "a guess"), ("the short way", "the model is small")} <= {
        (decision.what, decision.reason) for decision in planner(YAML).decisions if decision.step == "tune"
    }


def test_an_estimator_can_look_at_the_models_configuration(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"seen": float(dict(request.config) == CONFIG)}))
    assert step(planner(YAML), "tune").estimate.terms == {"seen": 1.0}


def test_an_estimator_can_look_at_the_other_models_too_also_at_one_that_a_step_brings(planner, world, monkeypatch):
    """The main input is none of them, and rows are no model."""
    seen = "teach", lambda request: Estimate({f"{key} {one['format']} {one['bytes']}": 1.0 for key, one in request.models.items()})
    monkeypatch.setattr(sys.modules["made_up"], *seen)
    yaml = YAML.replace("steps:", "steps:\n  large: {download: shelf, settings: {uri: shelf://large}}").replace("echo", "follow")
    follow = Provider("follow", "as a guide does", "made_up:Thing", accepts=("dataset/chat",), facts={"guided": True})
    plan = planner(yaml.replace("data:", "guide: large, data:"), world(extra=[("objective", follow)]))
    assert step(plan, "tune").estimate.terms == {"guide model/hf 10000000": 1.0}
    assert not step(planner(YAML), "tune").estimate.terms


def test_an_estimator_is_told_which_inputs_the_step_is_given(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({name: 1.0 for name in request.inputs}))
    assert step(planner(YAML), "tune").estimate.terms == {"data": 1.0}


def test_a_full_disk_is_told_before_the_run_but_not_for_what_is_done(planner):
    plan = planner(YAML)
    (problem,) = check_disk(plan, free=1_000_000)
    assert problem.code == "TS-PLAN-009"
    assert "model" in problem.why
    assert check_disk(plan, free=1_000_000, done=lambda name: name == "model") == []
    assert check_disk(replace(plan, steps=()), free=0) == []


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (1023.9 * 2**20, "1.0 GiB"), (2**50, "1024.0 TiB")]
)
def test_bytes_are_written_for_people(count, text):
    assert bytes_text(count) == text


SPAWN = estimators._spawn
SCRIBBLE = """
import os

def teach(request):
    for number in range(3, 64):
        try:
            os.write(number, b"nonsense\\n")
        except OSError:
            pass
"""
FATES = {
    "exits": "import os\ndef teach(request): os._exit(0)",
    "leaves": "import sys\ndef teach(request): sys.exit(0)",
    "is killed": "import os\ndef teach(request): os.kill(os.getpid(), 9)",
    "hangs": "import time\ndef teach(request): time.sleep(600)",
    "loops": "def teach(request):\n    while True: pass",
    "dies when it is imported": "import os\nos._exit(0)",
    "writes where it should not": SCRIBBLE,
    "takes the connection down": "import os\ndef teach(request): os.closerange(0, 4096)",
}  # fmt: skip


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("forked", [True, False], ids=["forked", "started anew"])
def test_what_becomes_of_an_estimator_never_becomes_of_the_plan(planner, world, monkeypatch, tmp_path, fate, forked):
    name = f"fatal_{abs(hash(fate))}"
    (tmp_path / f"{name}.py").write_text(FATES[fate])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    for start in ("_fork", "_spawn"):
        monkeypatch.setattr(estimators, start, estimators._fork if forked else SPAWN)
    registry = world()
    verb = replace(registry.verb("teach"), estimator=f"{name}:teach")
    asked = Estimators(limit=1.0 if forked else 3.0)
    notes = Notes()
    found = estimate("tune", Choice(verb, {}), {}, None, {}, Placement(), notes, asked)
    assert found is None
    (warning,) = notes.warnings
    assert "tune: the estimate is unknown; the estimator of `teach` (acme-engine) failed: " in warning
    began = time.monotonic()
    estimate("again", Choice(verb, {}), {}, None, {}, Placement(), notes, asked)
    assert len(notes.warnings) == 2
    if fate in ("hangs", "loops"):
        assert "no answer within" in warning
        assert time.monotonic() - began < 0.5, "it was not asked again"


def test_one_that_ends_its_process_takes_no_other_with_it(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "trainable", lambda request: os._exit(0))
    plan = planner(YAML)
    assert step(plan, "tune").estimate is None
    assert step(plan, "api").estimate.terms == {"weights": 2.0 * PARAMETERS}


def test_one_helper_serves_all_and_ends_with_what_asked_it(world):
    asks, record = Estimators(), replace(world().verb("teach"), estimator="builtins:print")
    assert asks.estimate(record, EstimateRequest({})) is None
    pid = asks._helper.pid
    assert asks.estimate(record, EstimateRequest({})) is None
    assert asks._helper.pid == pid
    del asks
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_helper_has_no_secrets(world, monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "hush")
    monkeypatch.setattr(
        sys.modules["made_up"], "seen", lambda request: {name: 1.0 for name in ("ACME_TOKEN", "PATH") if name in os.environ}, raising=False
    )
    record = replace(world().verb("teach"), estimator="made_up:seen")
    assert Estimators().estimate(record, EstimateRequest({})) == {"PATH": 1.0}


def test_an_estimator_is_told_which_secrets_are_set_and_none_of_them(world, monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "hush")
    monkeypatch.setenv("EMPTY_TOKEN", "")
    monkeypatch.setenv("ACME_PLACE", "here")
    names = ("ACME_TOKEN", "EMPTY_TOKEN", "ACME_PLACE", "OTHER_TOKEN")
    told = lambda request: {name: 1.0 for name in names if is_set(name)} | {"told": float("hush" in str({**os.environ}))}  # noqa: E731
    monkeypatch.setattr(sys.modules["made_up"], "seen", told, raising=False)
    record = replace(world().verb("teach"), estimator="made_up:seen")
    assert Estimators().estimate(record, EstimateRequest({})) == {"ACME_TOKEN": 1.0, "ACME_PLACE": 1.0, "told": 0.0}


def test_a_request_and_an_estimate_arrive_as_they_were(world, monkeypatch):
    seen = Estimate({"a": 1.0}, 2.0, ("note",), (("what", "why"),), ({"bits": 4},))
    monkeypatch.setattr(sys.modules["made_up"], "seen", lambda request: seen if request == asked else None, raising=False)
    asked = EstimateRequest(CONFIG, 3, {"x": [1, "y"]}, {"z": None}, {"s": {"t": 1.0}}, {"rows": 7}, "cpu")
    asked = replace(asked, directory=Path("here"), rows=({"messages": [{"role": "user"}]},))
    assert Estimators().estimate(replace(world().verb("teach"), estimator="made_up:seen"), asked) == seen


def test_an_estimate_can_be_overruled_and_the_refusal_says_how(planner, problems, make_device):
    small = {"abacus": [make_device(memory=1000, free=1000)]}
    assert all("`--ignore-estimates`, or `ignore_estimates: true`" in problem.fix for problem in problems(YAML, devices=small))
    plan = planner("ignore_estimates: true\n" + YAML, devices=small)
    told = {(decision.step, decision.what) for decision in plan.decisions}
    assert {
        ("", "estimates of memory and disk refuse nothing"),
        ("tune", "started although its estimate says that it does not fit"),
    } <= told
    assert any("the step `tune` needs about" in warning for warning in plan.warnings)
    assert check_disk(plan, free=0) == []


def test_only_what_a_trainer_strategy_declares_makes_ranks(planner, make_device):
    """Others may have a setting of that name."""
    relay = YAML.replace("data:", "strategy: {relay: {processes: 4}}, data:")
    tune = step(planner(relay, devices={"abacus": [make_device(), make_device()]}), "tune")
    assert tune.placement.processes == 4
    adapter, strategy = (tune.choices[slot] for slot in ("adapter", "strategy"))
    silent = replace(strategy, record=replace(strategy.record, facts={}))
    other = Selection({"adapter": replace(adapter, settings={"processes": 5}), "strategy": silent}, None, {})
    assert placement(other, ()).processes == 1


def test_where_the_number_of_ranks_is_left_out_another_setting_says_it(planner, make_device):
    record = replace(step(planner(YAML), "tune").choices["adapter"].record, facts={
        "ranks": "processes", "usual_ranks": {"preset": {"": 2, "eight": 8}},
    })  # fmt: skip
    assert record.ranks({"processes": 3, "preset": "eight"}) == 3
    assert record.ranks({"processes": None, "preset": "eight"}) == 8
    assert record.ranks({"processes": None, "preset": None}) == record.ranks({"processes": None}) == 2
    assert record.ranks({"processes": None, "preset": "another"}) == 1


def test_a_part_that_is_given_with_decisions_is_told_of_and_counts_as_a_part(planner, monkeypatch):
    part = Estimate({"trainable": 50.0}, decisions=(("tilted far", "the angle is set"),))
    monkeypatch.setattr(sys.modules["made_up"], "trainable", lambda request: part)
    plan = planner(YAML)
    assert step(plan, "tune").estimate.terms["optimizer"] == 8.0 * 50
    assert ("tilted far", "the angle is set") in [(decision.what, decision.reason) for decision in plan.decisions]


def test_a_step_is_told_which_numbers_its_devices_compute_in(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, notes=(" ".join(request.dtypes),)))
    types = {"one": ("float32", "bfloat16"), "two": ("float32", "float16")}
    plan = planner(YAML, devices={"abacus": [Device(name, 10**9, 10**9, 1, known) for name, known in types.items()]})
    assert step(plan, "tune").placement.dtypes == ("float32",)
    assert "float32" in [decision.reason for decision in plan.decisions if decision.what == "its memory"]
