"""Estimates: light, monotonous in what costs memory, and near what a training step really takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_torch.estimate.memory import CHUNK, merge, train
from tunesmith_torch.estimate.model_states import SCORING
from tunesmith_torch.settings import TrainSettings

CONFIG = llama(layers=12, hidden=512, intermediate=1536, heads=8, kv_heads=4, vocabulary=32000, positions=2048)
SHAPE = ModelShape.from_config(CONFIG)


def estimate(config=CONFIG, trainable=2e6, copies=0.0, objective=None, data=None, models=None, rows=(), device="cpu", **settings):
    parts = {"adapter": {"trainable": trainable, "copies": copies}, "objective": objective or {}}
    values, found = asdict(TrainSettings(**({"dtype": "float32"} | settings))), data or {"rows": 100, "characters": 80000}
    return train(EstimateRequest(config, step_settings=values, parts=parts, data=found, models=models or {}, rows=rows, device=device))


@pytest.mark.parametrize(
    ("settings", "inputs", "told"),
    [
        ({"eval_steps": 5}, ("data",), "eval_steps"), ({"early_stopping_patience": 2}, ("data",), "early_stopping_patience"),
        ({"early_stopping_threshold": 0.1, "validation_split": 0.1}, ("data",), "early_stopping_threshold"),
        ({"validation_split": 0.1}, ("data", "validation"), "validation_split"), ({"sample_steps": 5}, (), "sample_steps"),
        ({"sample_max_tokens": 8}, ("data",), "sample_max_tokens"), ({}, ("data",), ""), ({"eval_steps": 5}, (), ""),
        ({"eval_steps": 5, "validation_split": 0.1}, ("data",), ""), ({"eval_steps": 5}, ("data", "validation"), ""),
        ({"early_stopping_threshold": 0.1, "early_stopping_patience": 1}, ("data", "validation"), ""),
        ({"sample_steps": 5, "sample_max_tokens": 8, "sample_prompts": ["Who?"]}, ("data",), ""),
    ],
)  # fmt: skip
def test_a_setting_that_would_have_no_effect_is_refused(settings, inputs, told):
    asked = EstimateRequest(CONFIG, step_settings=asdict(TrainSettings(**settings)), parts={"objective": {}}, inputs=inputs)
    if not told:
        assert train(asked)
        return
    with pytest.raises(UserError, match=rf"TS-TRAIN-076: `{told}`"):
        train(asked)


def model(config=CONFIG):
    return {"config": config, "bytes": 2 * ModelShape.from_config(config).parameters, "format": "model/hf"}


def test_an_unknown_model_is_not_guessed_at():
    assert not estimate(config={}).memory
    assert merge(EstimateRequest({})) is None


@pytest.mark.parametrize(("dtype", "size"), [("auto", 2), ("float32", 4)])
def test_a_merge_holds_the_weights_in_float32_once_and_writes_them_in_the_type_asked_for(dtype, size):
    parameters, told = ModelShape.from_config(CONFIG).parameters, merge(EstimateRequest(CONFIG, step_settings={"dtype": dtype}))
    assert told.terms["weights"] == 4 * parameters
    assert told.terms["largest matrix"] < 2 * parameters  # as much as a second copy of the model
    assert told.disk == size * parameters


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"max_tokens_per_microbatch": 512}, {"max_tokens_per_microbatch": 2048}), ({"dtype": "bfloat16"}, {"dtype": "float32"}),
        ({"gradient_checkpointing": True}, {"gradient_checkpointing": False}), ({"trainable": 2e6}, {"trainable": float(SHAPE.parameters)}),
        ({"batch_size": 1}, {"batch_size": 4}),
        ({"trainable": 5e7, "copies": 1.0}, {"trainable": 5e7, "copies": 1.0, "objective": {"sequences": 1.0, "reference": 1.0}}),
    ],
    ids=str,
)  # fmt: skip
def test_what_costs_memory_is_estimated_to(less, more):
    assert estimate(**less).memory < estimate(**more).memory


def test_estimating_imports_nothing_heavy():
    imports = "import sys, tunesmith_torch.plugin, tunesmith_torch.estimate.memory"
    program = f"{imports}; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_sizes_are_the_engines():
    from tunesmith_torch.estimate.activations import BLOCK, KEPT
    from tunesmith_torch.estimate.memory import FEWEST, KEPT_BYTES
    from tunesmith_torch.model import head_log_probs, log_probs
    from tunesmith_torch.model.attention import cpu_attention

    assert (CHUNK, FEWEST, BLOCK, KEPT) == (log_probs.CHUNK_BYTES, log_probs.FEWEST, cpu_attention.BLOCK, cpu_attention.KEPT)
    assert KEPT_BYTES == head_log_probs.KEPT_BYTES


@pytest.mark.parametrize("name", ["teacher", "reference"])
def test_a_model_beside_the_one_that_trains_is_counted_with_its_own_size(name):
    """A reference that is given is no copy of the model that trains."""
    large = CONFIG | {"num_hidden_layers": 24}
    asked = {"objective": {name: 1.0}, "trainable": 5e7, "copies": 1.0}
    small, found = estimate(models={name: model()}, **asked), estimate(models={name: model(large)}, **asked)
    assert small.terms[name] == SHAPE.parameters * 4
    assert found.terms[name] == ModelShape.from_config(large).parameters * 4
    assert found.terms["weights"] == estimate(objective={}, trainable=5e7, copies=1.0).terms["weights"]
    assert not any("not counted" in note for note in found.notes)
    assert name not in estimate(models={name: model()}).terms  # nobody reads it


def test_a_reward_model_is_counted_where_it_is_computed_beside_the_training():
    asked = {"models": {"reward_model": model()}, "objective": {"reward_model": 1.0}}
    assert estimate(**asked).terms["reward_model"] == SHAPE.parameters * 4 + SCORING
    assert "reward_model" not in estimate(device="cuda", **asked).terms
    assert "reward_model" not in estimate(models={"reward_model": model()}).terms  # nobody reads it


def test_a_teacher_of_unknown_size_is_told():
    assert any("not counted" in note for note in estimate(objective={"teacher": 1.0}).notes)


def test_documents_are_counted_by_their_pieces():
    """Two documents of 5,000 tokens fill a micro-batch; as rows that are cut they would be two sequences."""
    documents, cut = {"rows": 2, "characters": 40000}, {"max_length": 512, "batch_size": 8}
    pieces = estimate(data=documents, objective={"pieces": 1.0}, **cut)
    assert pieces.terms["activations"] > 3 * estimate(data=documents, **cut).terms["activations"]
    same = {"rows": 16, "characters": 16 * 502 * 4}
    assert pieces.memory == pytest.approx(estimate(data=same, objective={"pieces": 1.0}, **cut).memory, rel=0.05)
    assert estimate(data=documents, objective={"pieces": 1.0}, truncation="drop", **cut).memory < pieces.memory


def test_plain_texts_are_not_said_to_meet_a_chat_template():
    told = [what for what, _ in estimate(objective={"pieces": 1.0}).decisions]
    assert "texts by the model's tokenizer" in told
    assert "labels by the model's chat template" in [what for what, _ in estimate().decisions]
    assert "texts by the model's tokenizer" in [what for what, _ in estimate(rows=({"text": "One."},)).decisions]
