"""L4: plan before run. What can be decided before compute is spent is decided in the plan, with reasons, and no plugin runs for it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Device, Input, Kind, ModelInfo, Need, Provider, Slot, Verb
from tunesmith.errors import Problems
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry
from tunesmith.verbs.records import VERBS
from tunesmith_data import plugin as data
from tunesmith_sdk.manifest.records import record_of
from tunesmith_serve.plugin import verb as serve

ABSENT = "a_module_that_does_not_exist:Anything"  # planning must not import a provider
ROW = {"row": {"type": "object", "required": ["q", "a"], "properties": {"q": {"type": "string"}, "a": {"type": "string"}}}}
PROVIDED = (
    ("input_reader", data.input_reader()),
    *(("verb", verb) for verb in data.verb()),
    *(("verb", verb) for verb in (*VERBS, serve())),
    ("verb", Verb("teach", "train", ABSENT, kind="objective", slots=(Slot("adapter", "adapter", "what changes"),), produces_of="adapter",
                  inputs=(Input("model", "the model", of="adapter"), Input("data", "the rows", of="objective")))),
    ("verb", Verb("fold", "fold in", ABSENT, inputs=(Input("model", "the adapter", accepts=("adapter/*",)),), produces=("model/hf",),
                  converts="insert", needs=(Need("producer", "merge", "it writes into the weights"),))),
    ("objective", Provider("contrast", "prefer", ABSENT, accepts=("dataset/chat",), needs=(Need("adapter", "reference", "it compares"),))),
    ("adapter", Provider("whole", "all of it", ABSENT, accepts=("model/hf",), produces=("adapter/whole",), priority=9,
                         capabilities={"reference": "none", "merge": "full"})),
    ("adapter", Provider("tilt", "tilts", ABSENT, accepts=("model/hf",), produces=("adapter/tilt",),
                         capabilities={"reference": "full", "merge": "full"})),
    ("inference_backend", Provider("kettle", "engine", ABSENT, accepts=("model/hf",), produces=("endpoint/openai",))),
    ("evaluator", Provider("politeness", "polite", ABSENT, accepts=("endpoint/openai",), facts={"metrics": {"politeness": {}}})),
    ("model_loader", Provider("shelf", "a shelf", ABSENT, facts={"schemes": ["shelf"]}, produces=("model/hf",))),
    ("dataset_format", Provider("tickets", "rows", ABSENT, produces=("dataset/chat",), facts=ROW)),
    ("device_backend", Provider("abacus", "beads", ABSENT, facts={"torch": "cpu"})),
)  # fmt: skip
BROUGHT = {"objective": Kind("objective", "what is learnt", ABSENT), **{kind.name: kind for kind in data.kind()}}
GOOD = """\
model: shelf://base
steps:
  tune: {teach: contrast, data: train.jsonl}
  score: {evaluate: politeness, from: tune}
"""


@pytest.fixture
def plan(tmp_path: Path):
    (tmp_path / "train.jsonl").write_text('{"q": "x", "a": "y"}\n')
    records = tuple(record_of(kind, provider, "acme-all", "1.0", brought=BROUGHT.get(kind)) for kind, provider in PROVIDED)
    registry = Registry([Plugin("acme-all", "1.0", "a_module_that_does_not_exist", records, fingerprint="f")])

    def planned(text: str):
        (tmp_path / "tunesmith.yaml").write_text(text)
        return make_plan(
            load_pipeline(tmp_path / "tunesmith.yaml"),
            registry,
            resolve=lambda uri: ModelInfo(uri, "r1", "model/hf"),
            devices={"abacus": [Device("beads", 10**9, 10**9, 2)]},
            digest_of=lambda path: "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
        )

    return planned


def test_a_pipeline_is_planned_in_full_without_importing_a_provider(plan):
    names = [step.name for step in plan(GOOD).steps]
    assert names == ["model", "data:train", "tune", "tune.fold", "tune.fold.serve", "score"]


def test_every_choice_and_every_inserted_step_has_a_reason(plan):
    made = plan(GOOD)
    told = {decision.step: decision for decision in made.decisions}
    assert {step.name for step in made.steps if step.inserted} <= set(told)
    assert "`contrast` requires `reference`" in told["tune"].reason
    assert all(decision.what and decision.reason for decision in made.decisions)


def test_whatever_is_wrong_is_told_before_the_run_and_all_at_once(plan):
    bad = GOOD.replace("train.jsonl", "trian.jsonl").replace("politeness", "polite") + "  api: {serve: kettle, adapter: x, from: tun}\n"
    with pytest.raises(Problems) as caught:
        plan(bad)
    assert {problem.code for problem in caught.value.problems} == {"TS-DATA-001", "TS-PLUGIN-001", "TS-SPEC-004", "TS-SPEC-009"}


def test_a_conflict_of_capabilities_never_reaches_the_run(plan):
    with pytest.raises(Problems, match="does not have it"):
        plan(GOOD.replace("contrast,", "contrast, adapter: whole,"))


def test_equal_pipelines_have_equal_plans(plan):
    assert plan(GOOD) == plan(GOOD)


def test_the_planner_imports_no_heavy_library():
    heavy = "{'torch', 'transformers', 'numpy', 'rich', 'pydantic', 'asyncio', 'multiprocessing'}"
    code = "import sys, tunesmith.planning.planner, tunesmith.planning.plan_text; "
    code += f"found = {heavy} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)
