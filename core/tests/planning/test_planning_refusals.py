"""What a provider can't do without, or can't do to this model, is told by the plan (law L4)."""

import sys

import pytest

from tunesmith.contracts import ModelInfo, Provider, UserError

YAML = "model: shelf://base\nsteps:\n  small: {quantize: exact, data: train.jsonl}\n"
WITHOUT = YAML.replace(", data: train.jsonl", "")


@pytest.fixture
def exact(world):
    """The registry with a quantizer that calibrates, if its fact says so."""

    def make(calibration=True):
        facts = {"calibration": calibration}
        made = Provider("exact", "looks at rows", "made_up:Nothing", accepts=("model/hf",), produces=("model/exact",), facts=facts,
                        estimator="made_up:exact")  # fmt: skip
        return world(extra=[("quantizer", made)])

    return make


@pytest.fixture(autouse=True)
def _estimator(monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "exact", lambda request: None, raising=False)


def test_rows_to_calibrate_on_are_required_by_who_calibrates(problems, exact):
    (problem,) = problems(WITHOUT, exact())
    assert (problem.code, problem.user) == ("TS-PLAN-010", True)
    assert "`small` has no `data`" in problem.what
    assert "`exact` reads rows to calibrate on" in problem.why
    assert "`data: ...`" in problem.fix


def test_rows_are_not_required_by_who_does_not_calibrate(planner, exact):
    assert "data" not in planner(WITHOUT, exact(calibration=False)).steps[-1].inputs


def test_rows_that_are_given_are_prepared(planner, exact):
    assert planner(YAML, exact()).steps[-1].inputs["data"].format == "dataset/chat"


@pytest.fixture
def postbox(world):
    """The registry with a backend whose model runs elsewhere."""
    made = Provider("postbox", "asks another", "made_up:Nothing", accepts=("model/*",), produces=("endpoint/openai",),
                    facts={"elsewhere": True})  # fmt: skip
    return world(extra=[("inference_backend", made)])


SERVED = "{model}steps:\n  api: {{serve: {backend}}}\n  score: {{evaluate: politeness, from: api}}\n"


def test_who_has_its_model_elsewhere_is_planned_without_one(planner, postbox):
    api, score = planner(SERVED.format(model="", backend="postbox"), postbox).steps[-2:]
    assert (dict(api.inputs), [source.step for source in score.inputs.values()]) == ({}, ["api"])


def test_a_model_that_it_is_given_is_an_input_of_its_step(planner, postbox):
    api = planner(SERVED.format(model="model: shelf://base\n", backend="postbox"), postbox).steps[-2]
    assert {*api.inputs} == {"model"}


@pytest.mark.parametrize("backend", ["kettle", "auto"])
def test_others_need_a_model_as_before(problems, postbox, backend):
    (problem,) = problems(SERVED.format(model="", backend=backend), postbox)
    assert (problem.code, problem.user) == ("TS-PLAN-010", True)
    assert "`api` has no `from`" in problem.what
    assert "the model to serve" in problem.why


def test_an_estimator_may_refuse_settings_that_cant_work_on_the_model(problems, exact, monkeypatch):
    def refuse(request):
        raise UserError("TS-QUANT-001", f"{request.config['hidden_size']} columns are too few", fix="Take fewer groups.")

    monkeypatch.setattr(sys.modules["made_up"], "exact", refuse)
    (problem,) = problems(YAML, exact())
    assert problem.code == "TS-QUANT-001"
    assert problem.what.startswith("tunesmith.yaml:3: ")
    assert problem.what.endswith("64 columns are too few")
    assert problem.fix == "Take fewer groups."


@pytest.mark.parametrize(
    ("config", "told"), [({"AutoConfig": "c.C", "AutoModelForCausalLM": "m.M"}, True), ({"AutoTokenizer": "t.T"}, False)]
)
def test_a_model_that_brings_its_own_code_is_told_of_before_it_is_fetched(planner, exact, config, told):
    def resolve(uri):
        return ModelInfo(uri, "r1", "model/hf", {"weights": {"size": 10}}, {"model_type": "strange", "auto_map": config})

    warnings = planner(YAML, exact(), resolve=resolve).warnings
    assert any("brings code of its own" in warning and "`strange`" in warning for warning in warnings) == told


def test_an_input_that_the_provider_does_not_read_is_refused(problems, planner, world):
    yaml = "model: shelf://base\nsteps:\n  tune: {teach: NAME, adapter: tilt, data: train.jsonl, guide: model}\n"
    (found,) = problems(yaml.replace("NAME", "echo"))
    assert found.code == "TS-PLAN-014"
    assert "`echo` has no use for `guide`" in found.what
    follow = Provider("follow", "as a guide does", "made_up:Thing", accepts=("dataset/chat",), facts={"guided": True})
    plan = planner(yaml.replace("NAME", "follow"), world(extra=[("objective", follow)]))
    assert plan.steps[-1].inputs["guide"].step == "model"


def test_of_providers_that_can_run_one_that_reads_all_inputs_is_chosen(planner, world):
    yaml = "model: shelf://base\nsteps:\n  tune: {teach: auto, adapter: tilt, data: train.jsonl, guide: model}\n"
    follow = Provider("follow", "as a guide does", "made_up:Thing", accepts=("dataset/chat",), facts={"guided": True})
    made = world(extra=[("objective", follow)])
    assert planner(yaml, made).steps[-1].choices["objective"].record.name == "follow"
    assert planner(yaml.replace(", guide: model", ""), made).steps[-1].choices["objective"].record.name != "follow"
