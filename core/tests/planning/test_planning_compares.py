"""A verb's setting that asks for a comparison: providers and settings are compared on one device, too, and what was not taken is told."""

import sys
from dataclasses import dataclass

import pytest

from tunesmith.contracts import Device, Estimate, Input, Provider, UserError, Verb, setting

YAML = "model: shelf://base\nsteps:\n  tea: {pour: auto, from: model, settings: {guests: 8}}\n"
MODULE = sys.modules[__name__]


@dataclass(frozen=True)
class PourSettings:
    guests: int = setting(0, "who is expected", ge=0)


@dataclass(frozen=True)
class SamovarSettings:
    cups: int = setting(2, "filled at the same time", ge=1)


POUR = Verb(
    "pour", "tea", "made_up:Nothing", PourSettings, kind="inference_backend", produces=("endpoint/openai",), service=True,
    inputs=(Input("model", "what is poured", of="inference_backend"),), facts={"metrics": {}, "compares": ["guests"]},
)  # fmt: skip
SAMOVAR = Provider(
    "samovar", "many cups", "made_up:Nothing", SamovarSettings, accepts=("model/hf",), produces=("endpoint/openai",),
    capabilities={"device.abacus": "full"}, estimator="made_up:samovar", variants="made_up:filled", priority=1,
)  # fmt: skip


def samovar(request):
    if request.settings["cups"] > 16:
        raise UserError("TS-SERVE-099", "there is no room for so many cups")
    return Estimate({"water": 10.0 * request.settings["cups"]}, seconds=8.0 / request.settings["cups"])


def filled(request):
    assert request.input_bytes == 10_000_000
    return [{"cups": request.step_settings["guests"]}]


@pytest.fixture(autouse=True)
def _pouring(monkeypatch):
    for name in ("samovar", "filled"):
        monkeypatch.setattr(sys.modules["made_up"], name, getattr(MODULE, name), raising=False)
    monkeypatch.setattr(sys.modules["made_up"], "kettle", lambda request: Estimate({"water": 50.0}, seconds=4.0))


@pytest.fixture
def tea(planner, world):
    def plan(yaml=YAML, provider=SAMOVAR, memory=1000):
        registry = world(extra=[("inference_backend", provider), ("verb", POUR)])
        return planner(yaml, registry, {"abacus": [Device("beads", memory, memory, 4)]}).steps[-1]

    return plan


def verdicts(step):
    return {one.words: one.verdict for one in step.alternatives}


def test_what_the_setting_asks_for_is_compared_on_one_device_and_the_fastest_taken(tea):
    step = tea()
    assert (step.choices["inference_backend"].record.name, step.choices["inference_backend"].settings) == ("samovar", {"cups": 8})
    assert verdicts(step)["samovar cups=8"] == "the fastest that fits"
    assert verdicts(step)["kettle"] == "it fits, 4.0 times as slow"
    assert verdicts(step)["pot"]
    assert step.estimate.memory == 80.0


def test_without_the_setting_the_first_is_taken_and_nobody_is_asked(tea, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "filled", lambda request: 1 / 0)
    step = tea(YAML.replace("guests: 8", ""))
    assert step.choices["inference_backend"].record.name == "kettle"
    assert not step.alternatives


def test_one_that_refuses_is_passed_over_with_its_sentence(tea):
    step = tea(YAML.replace("8", "32"))
    assert step.choices["inference_backend"].record.name == "kettle"
    assert verdicts(step)["samovar cups=32"] == "inference_backend: there is no room for so many cups"


def test_one_that_does_not_say_that_it_runs_there_is_passed_over_and_how_fast_it_would_be_is_told(tea):
    step = tea(provider=Provider(**{**vars(SAMOVAR), "capabilities": {"device.abacus": "unknown"}}))
    assert step.choices["inference_backend"].record.name == "kettle"
    told = "it fits, 4.0 times as fast, but the inference backend `samovar` does not say that it runs on `abacus`"
    assert verdicts(step)["samovar cups=8"] == told


def test_one_that_reads_the_input_as_it_is_goes_before_those_that_need_a_conversion(tea, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "filled", lambda request: [{"cups": 8}])
    packed = YAML.replace("base", "packed/one")
    step = tea(packed, Provider(**{**vars(SAMOVAR), "accepts": ("model/packed",)}))
    assert step.choices["inference_backend"].record.name == "samovar"
    assert verdicts(step)["kettle"] == "it would read its input by other conversions (export unpack): name it to have that"
    usual = tea(packed.replace("guests: 8", ""), Provider(**{**vars(SAMOVAR), "accepts": ("model/packed",)}))
    assert usual.choices["inference_backend"].record.name == "kettle"


def test_the_only_one_that_offers_anything_is_set_as_it_offers(tea, planner, world):
    registry = world(extra=[("inference_backend", SAMOVAR), ("verb", POUR)], without=["acme-kettle"])
    step = planner(YAML, registry, {"abacus": [Device("beads", 1000, 1000, 4)]}).steps[-1]
    assert step.choices["inference_backend"].settings == {"cups": 8}
