"""A kind that examines what steps make takes part in each that makes a model or an adapter, without its verb knowing of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import tiny_verbs

from tunesmith.contracts import Artifact, Kind, Provider, Result, UserError, setting
from tunesmith.isolation.worker_step import WorkerStep, run_entry
from tunesmith.planning.plan_text import plan_text
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry
from tunesmith.running.worker.step_request import step_request
from tunesmith_sdk.manifest.records import record_of

CUSTOMS = Kind("customs", "looks into what leaves the country", "made_up:Customs", examines="border")
STEPS = """
model: shelf://base
steps:
  tune: {teach: echo, adapter: tilt, data: train.jsonl}
  small: {quantize: binary, from: tune}
"""


@dataclasses.dataclass(frozen=True)
class Allowed:
    weight: int = setting(10, "how much is let through", ge=1)


@pytest.fixture
def registry(world) -> Registry:
    told = (Provider("officer", "opens bags", "made_up:Officer", Allowed, priority=1), Provider("dog", "sniffs", "made_up:Dog"))
    records = tuple(record_of("customs", one, "acme-customs", "1.0", brought=CUSTOMS) for one in told)
    return Registry([*world().plugins, Plugin("acme-customs", "1.0", "made_up", records, kinds=(CUSTOMS,), fingerprint="c")])


def examined(plan) -> dict[str, list[str]]:
    return {step.name: step_request(step, {}, Path(), Path())["examiners"] for step in plan.steps}


def test_steps_that_make_models_or_adapters_are_examined_inserted_ones_too(planner, registry):
    plan = planner(STEPS, registry)
    assert examined(plan) == {"model": [], "data:train": [], "tune": ["border"], "tune.fold": ["border"], "small": ["border"]}
    assert {step.choices["border"].record.name for step in plan.steps if "border" in step.choices} == {"officer"}
    assert "officer" not in plan_text(plan), "what it makes is the same with any"
    assert examined(planner(STEPS)) == {name: [] for name in examined(plan)}


def test_a_step_names_another_or_its_settings(planner, registry):
    plan = planner(STEPS.replace("from: tune}", "from: tune, border: {officer: {weight: 3}}}"), registry)
    assert plan.steps[-1].choices["border"].settings == {"weight": 3}
    plan = planner(STEPS.replace("from: tune}", "from: tune, border: dog}"), registry)
    assert plan.steps[-1].choices["border"].record.name == "dog"


def test_the_examiner_is_told_what_verb_and_provider_declare(planner, registry):
    small = planner(STEPS, registry).steps[-1]
    assert step_request(small, {}, Path(), Path())["facts"] == {
        **small.verb.facts, **small.choices["quantizer"].record.facts, "produces": ["model/binary"]
    }  # fmt: skip


class Officer:
    def check(self, step: WorkerStep, result: Result) -> Result:
        if step.facts.get("hidden"):
            raise UserError("TINY-9", "there is something in it")
        return dataclasses.replace(result, meta={**result.meta, "seen": step.inputs["model"].digest})


def test_it_is_called_once_the_verb_has_run_and_its_word_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_verbs, "nothing", lambda step: None, raising=False)

    def step(rank: int = 0, **facts):
        made = WorkerStep(
            name="it", output=tmp_path, work=tmp_path, inputs={"model": Artifact("model/hf", tmp_path, "sha256:1")}, facts=facts,
            providers={"border": Officer()}, examiners=["border"],
        )  # fmt: skip
        made.placement = dataclasses.replace(made.placement, rank=rank)
        return made

    assert run_entry("tiny_verbs:nothing", step())["meta"] == {"seen": "sha256:1"}
    assert run_entry("tiny_verbs:nothing", step(rank=1))["meta"] == {}
    with pytest.raises(UserError, match="TINY-9"):
        run_entry("tiny_verbs:nothing", step(hidden=True))
