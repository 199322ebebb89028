"""The pipelines in examples/ plan with the plugins of this repository, without a warning, to the steps that their READMEs tell of."""

from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_data.formats.detection import detect
from tunesmith_sdk.testing.plans import plan_on_a_laptop

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return load_registry(load_config(FOLDER, home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def plan(registry):
    return lambda name: plan_on_a_laptop(FOLDER / name / "tunesmith.yaml", registry)


@pytest.mark.parametrize(("file", "format", "rows"), [
    ("quickstart/train.jsonl", "alpaca", 276), ("quickstart/held-out.jsonl", "alpaca", 46), ("quickstart/ask.jsonl", "alpaca", 3),
    ("training/chats.jsonl", "messages", 8), ("compare/refusals.jsonl", "alpaca", 24), ("compare/choices.jsonl", "multiple-choice", 46),
    ("compare/safety.jsonl", "prompts", 30), ("dpo/pairs.jsonl", "preference", 30), ("dpo/answers.jsonl", "prompt-completion", 60),
    ("dpo/held-out.jsonl", "prompt-completion", 24),
    ("reward/pairs.jsonl", "preference", 276), ("reward/held-out.jsonl", "preference", 46),
])  # fmt: skip
def test_the_data_is_recognised(registry, file, format, rows):
    found = detect(FOLDER / file, registry.providers("dataset_format"))
    assert (found.record.name, found.rows, found.problems) == (format, rows, [])


@pytest.mark.parametrize("name", ["quickstart", "training", "dpo", "reward", "engines", "compare"])
def test_it_plans_without_a_warning(plan, name):
    assert plan(name).warnings == ()


def test_six_models_are_measured_by_five_evaluators(plan):
    groups = {"text", "choices", "refused", "kept"}
    found = {(step.source, step.choices["evaluator"].record.name) for step in plan("compare").steps if step.group in groups}
    assert len(found) == 6 * 5
    assert len({name for _, name in found}) == 5


def test_the_quickstart_merges_quantizes_and_serves(plan):
    steps = {step.name: step for step in plan("quickstart").steps}
    assert steps["model.export"].format == "model/hf"
    assert steps["tune.merge"].inserted
    assert steps["small"].format == "model/bnb"
    assert {gate.metric for gate in plan("quickstart").gates} == {"exact_match", "perplexity"}
    assert {source.step for source in steps["ask:api:generation"].inputs.values()} >= {"api"}


def test_preference_pairs_are_trained_on_as_pairs(plan):
    steps = {step.name: step for step in plan("dpo").steps}
    assert steps["prefer"].inputs["data"].format == "dataset/preference"
    assert steps["score:prefer:perplexity"].inputs["data"].format == "dataset/chat"


def test_preferences_go_on_with_the_fine_tuned_adapter_and_nothing_is_merged_between(plan):
    made = plan("dpo")
    prefer = next(step for step in made.steps if step.name == "prefer")
    assert {source.step for source in prefer.inputs.values()} >= {"tune"}
    assert [told for told in made.decisions if told.step == "prefer" and "goes on with what `tune` made" in told.what]


def test_engines_that_exclude_each_other_have_environments_of_their_own(plan):
    steps = {step.name: step for step in plan("engines").steps}
    held = {name: [one for one in step.recipe.plugins if one != "tunesmith-audit"] for name, step in steps.items() if step.recipe}
    own = {name: plugins[-1] for name, plugins in held.items()}
    assert own == {
        "gptq": "tunesmith-gptq", "awq": "tunesmith-awq", "gguf": "tunesmith-gguf", "llamacpp": "tunesmith-llamacpp",
        "vllm": "tunesmith-vllm", "vllm_gptq": "tunesmith-vllm", "vllm_awq": "tunesmith-vllm",
    }  # fmt: skip
    checked = {name for name, step in steps.items() if step.recipe and "tunesmith-audit" in step.recipe.plugins}
    assert checked == {"gptq", "awq", "gguf"}, "what looks at their artifacts is in the environment of those that make some"
    assert len({step.recipe.digest for step in steps.values() if step.recipe}) == 5
    compared = {name for name in steps if name.startswith("score:")}
    assert compared == {f"score:{name}:perplexity" for name in ("merged", "vllm", "llamacpp", "vllm_gptq", "vllm_awq")}
