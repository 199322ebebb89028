"""Estimates: light, monotonous in what costs memory, and near what a training step really takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_torch.estimate.memory import CHUNK, merge, train
from tunesmith_torch.settings import TrainSettings

CONFIG = llama(layers=12, hidden=512, intermediate=1536, heads=8, kv_heads=4, vocabulary=32000, positions=2048)
SHAPE = ModelShape.from_config(CONFIG)


def estimate(config=CONFIG, trainable=2e6, copies=0.0, objective=None, data=None, **settings):
    parts = {"adapter": {"trainable": trainable, "copies": copies}, "objective": objective or {}}
    values = asdict(TrainSettings(**({"dtype": "float32"} | settings)))
    return train(EstimateRequest(config, step_settings=values, parts=parts, data=data or {"rows": 100, "characters": 80000}))


def test_an_unknown_model_is_not_guessed_at():
    assert estimate(config={}) is None
    assert merge(EstimateRequest({})) is None


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
    from tunesmith_torch.estimate.memory import FEWEST
    from tunesmith_torch.model import log_probs
    from tunesmith_torch.model.attention import cpu_attention

    assert (CHUNK, FEWEST, BLOCK, KEPT) == (log_probs.CHUNK_BYTES, log_probs.FEWEST, cpu_attention.BLOCK, cpu_attention.KEPT)
