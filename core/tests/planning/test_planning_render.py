"""A plan can be read: by a person and by a program."""

import json

from tunesmith.contracts.provider import Input, Slot, Verb
from tunesmith.planning.plan_text import plan_text
from tunesmith_cli.display.plan_json import plan_json

YAML = """\
name: demo
model: shelf://base
steps:
  tune: {teach: echo, adapter: tilt, data: train.jsonl}
  score: {evaluate: [surprise, politeness], from: [model, tune], gate: {surprise: "<= 1.05x model"}}
  api: {serve: kettle, from: tune, needs: score}
"""


def test_every_step_decision_and_warning_is_in_the_text(planner, make_device):
    plan = planner(YAML, devices={"abacus": [make_device(free=1)]})
    text = plan_text(plan)
    flat = " ".join(text.split())
    assert text.startswith(f"demo: {len(plan.steps)} steps on abacus\n")
    assert all(step.name in text and step.format in text for step in plan.steps)
    assert all(" ".join(f"{d.what}: {d.reason}".split()) in flat for d in plan.decisions)
    assert plan.warnings
    assert all(" ".join(warning.split()) in flat for warning in plan.warnings)
    assert "<= 1.05x model" in text
    assert "peak memory about" in text
    assert str(plan) == text


def test_no_line_is_wider_than_wanted_but_for_a_step_itself(planner):
    lines = plan_text(planner(YAML), width=80).splitlines()
    assert all(len(line) <= 80 for line in lines if "->" not in line)
    assert all(line == line.rstrip() for line in lines)


def test_what_is_done_is_marked(planner):
    plan = planner(YAML)
    text = plan_text(plan, {"model": True})
    assert "1 of them done already" in text
    assert "  1 = model" in text
    assert "Nothing to do." in plan_text(plan, {step.name: True for step in plan.steps})


def test_the_json_holds_the_same(planner):
    plan = planner(YAML)
    data = json.loads(json.dumps(plan_json(plan, {"model": True, "tune": False})))
    assert [step["name"] for step in data["steps"]] == [step.name for step in plan.steps]
    by_name = {step["name"]: step for step in data["steps"]}
    assert (by_name["model"]["cached"], by_name["tune"]["cached"], by_name["api"]["cached"]) == (True, False, None)
    assert by_name["tune"]["providers"]["adapter"]["settings"] == {"angle": 8, "side": "left"}
    assert by_name["tune"]["inputs"]["data"] == {"format": "dataset/chat", "step": "data:train"}
    assert by_name["data:train"]["inputs"]["file"]["digest"].startswith("sha256:")
    assert by_name["tune"]["estimate"]["memory"] > 0
    assert data["gates"][0]["relative_to"] == "model"
    assert data["outputs"] == ["tune", "score", "api"]
    assert len(data["decisions"]) == len(plan.decisions)


def test_a_slot_that_makes_no_difference_to_its_step_is_not_spoken_of(planner, world):
    slots = (Slot("objective", "objective", "what would be learnt"), Slot("adapter", "adapter", "any does", told=False))
    inputs = (Input("model", "the model", accepts=("model/*",)), Input("data", "the rows", of="objective"))
    peek = Verb("peek", "look at rows", "made_up:Nothing", slots=slots, inputs=inputs, produces=("report/peek",))
    yaml = "model: shelf://base\nsteps:\n  look: {peek: {}, objective: echo, data: train.jsonl}\n"
    plan = planner(yaml, world(extra=[("verb", peek)]))
    assert plan.steps[-1].choices["adapter"].record.kind == "adapter"
    assert set(plan.steps[-1].told) == {"objective"}
    assert "adapter" not in plan_text(plan)
