"""What a step would need is told from a configuration alone: no pipeline, no data, no weights."""

import sys

import pytest

from tunesmith.contracts import Estimate
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.pipeline.step_syntax import ProviderSpec
from tunesmith_cli.estimate.comparison import Tried
from tunesmith_cli.estimate.output import as_json, page
from tunesmith_cli.estimate.step import StepEstimator
from tunesmith_cli.estimate.target_devices import Place
from tunesmith_models import ModelShape

CONFIG = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000,
          "tie_word_embeddings": True}  # fmt: skip
SHAPE = ModelShape.from_config(CONFIG)


def wanted(adapter="tilt", settings=None, objective="echo"):
    return {
        "objective": ProviderSpec("objective", objective),
        "adapter": ProviderSpec("adapter", adapter, settings or {}, ("adapter", adapter)),
        "strategy": ProviderSpec("trainer_strategy", "solo"),
    }  # fmt: skip


@pytest.fixture
def look(world, make_device):
    registry = world()

    def at(slots=None, device=None, data=None, format="model/hf", **settings):
        foresight = StepEstimator(
            registry,
            {"abacus": device if isinstance(device, list) else [device or make_device()]},
            Product("model", "model", format, config=CONFIG),
            data or {},
        )
        return foresight.of(registry.verb("teach"), settings, slots or wanted(settings={"angle": 10}))

    return at


def test_a_steps_terms_are_those_of_a_plan(look):
    seen = look()
    assert seen.estimate.terms == {"weights": 4.0 * SHAPE.parameters, "optimizer": 8.0 * 10_000}
    assert seen.fits
    assert seen.choices["adapter"].record.name == "tilt"


def test_it_is_said_when_a_device_is_too_small(look, make_device):
    assert look(device=make_device(memory=1000, free=1000)).fits is False


def test_what_does_not_go_together_is_told_instead_of_a_figure(look):
    seen = look(wanted("whole", objective="contrast"))
    assert [problem.code for problem in seen.problems] == ["TS-PLAN-003"]
    assert seen.fits is False
    assert "It can't be done like this" in page("teach", [Tried("", {}, seen)], [], Place({}))


def test_a_setting_that_is_none_is_told(look):
    assert [problem.code for problem in look(wanted(settings={"angel": 1})).problems] == ["TS-SPEC-020"]


def test_the_page_has_a_bar_for_each_part_what_the_machine_has_and_what_would_need_less(look, monkeypatch):
    said = Estimate({"large": 3e9, "small": 1e9}, disk=5.0, decisions=(("the short way", "it is short"),))
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: said)
    seen = look()
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"large": 1e9}))
    text = page("teach on it", [Tried("", {}, seen)], [Tried("", {"slowly": True}, look())], Place({}))
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert lines["large"].count("█") == 3 * lines["small"].count("█")
    assert "it fits" in lines["This"]
    assert "the short way: it is short" in text
    assert lines["--slowly"].endswith("fits")
    assert as_json("teach", [Tried("", {}, seen)], [], Place({}))["estimates"][0]["memory"] == 4e9


def test_several_are_compared_in_one_table(look):
    others = {"tilt": look(), "whole": look(wanted("whole")), "fog": look(wanted("fog"), format="model/binary")}
    text = page("teach", [Tried(name, {}, seen) for name, seen in others.items()], [], Place({}))
    assert text.index("tilt ") < text.index("whole ")
    assert "fog: " in text.partition("Not these:")[2]


def test_ranks_need_a_device_each_and_share_one_where_there_are_fewer(look, make_device):
    relay = wanted(settings={"angle": 10}) | {
        "strategy": ProviderSpec("trainer_strategy", "relay", {"processes": 4}, ("strategy", "relay"))
    }
    alone = look()
    cards = [make_device(), make_device()]
    seen = look(relay, device=cards)
    assert (seen.capacity.sharing, seen.capacity.memory) == (2, cards[0].memory)
    assert seen.needed == 2 * alone.needed
    assert look(relay, device=[*cards, *cards]).needed == alone.needed


@pytest.mark.parametrize("format", ["model/packed", "model/hf"])
def test_the_model_is_judged_as_it_is_after_what_a_plan_would_insert(look, monkeypatch, format):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: Estimate({"a": 1.0}, notes=(request.format,)))
    assert look(format=format).decisions[0].reason == "model/hf"
