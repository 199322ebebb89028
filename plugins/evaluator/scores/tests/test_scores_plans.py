"""Which model and which rows an evaluator is given is decided before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import EstimateRequest
from tunesmith.errors import TunesmithError, each
from tunesmith.plugins.registry import load_registry
from tunesmith_scores.estimate import estimate
from tunesmith_sdk.testing.plans import plan_on_a_laptop

PAIR = '{"prompt": "Why?", "chosen": "So.", "rejected": "No."}\n'
TALK = '{"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}\n'
HEAD = "model: hf://acme/small\nsteps:\n  judge: {train: reward, adapter: lora, data: pairs.jsonl}\n"


@pytest.fixture
def plan(tmp_path: Path):
    for needed in ("tunesmith_reward", "tunesmith_lora", "tunesmith_huggingface", "tunesmith_preference", "tunesmith_transformers"):
        pytest.importorskip(needed, reason="the pipeline is made of it")
    (tmp_path / "pairs.jsonl").write_text(PAIR)
    (tmp_path / "chat.jsonl").write_text(TALK)

    def planned(steps: str):
        (tmp_path / "tunesmith.yaml").write_text(HEAD + steps)
        return plan_on_a_laptop(tmp_path / "tunesmith.yaml", load_registry(load_config(tmp_path, home=tmp_path / "home")))

    return planned


def test_a_reward_model_is_merged_and_judged(plan):
    made = plan("  check: {evaluate: reward-accuracy, from: judge, data: pairs.jsonl, gate: {rewards/accuracy: '>= 0.8'}}\n")
    formats = {step.name: step.format for step in made.steps}
    assert formats["judge"] == "adapter/peft+reward"
    assert formats["judge.merge"] == "model/hf+reward"


@pytest.mark.parametrize(("step", "code", "told"), [
    ("{evaluate: perplexity, from: judge, data: chat.jsonl}", "TS-PLAN-015", "`reward-accuracy`"),
    ("{evaluate: generation, from: judge, data: chat.jsonl}", "TS-PLAN-015", "`reward-accuracy`"),
    ("{evaluate: reward-accuracy, from: model, data: pairs.jsonl}", "TS-PLAN-015", "reads a `reward` model"),
    ("{evaluate: reward-accuracy, from: judge, data: chat.jsonl}", "TS-DATA-0", "reward-accuracy"),
    ("{evaluate: perplexity, from: model, data: pairs.jsonl}", "TS-DATA-0", "perplexity"),
    ("{evaluate: reward-accuracy, from: judge}", "TS-PLAN-010", "data"),
    ("{evaluate: retrieval, from: judge, data: pairs.jsonl}", "TS-", "embed"),
])  # fmt: skip
def test_what_an_evaluator_can_t_judge_is_refused_by_the_plan(plan, step, code, told):
    with pytest.raises(TunesmithError) as caught:
        plan(f"  check: {step}\n")
    found = each(caught.value)
    assert any(error.code.startswith(code) for error in found), found
    assert any(told in f"{error.what} {error.why} {error.fix}" for error in found), found


@pytest.mark.parametrize(("problem", "told"), [("", ["60 questions"]), ("regression", [])])
def test_a_plan_says_what_so_many_rows_can_show_unless_they_are_of_numbers(problem, told):
    request = EstimateRequest(config={"problem_type": problem}, settings={"dtype": "auto"}, data={"rows": 60})
    found = estimate(request)
    assert [what for what, _ in (found.decisions if found else ())] == told
