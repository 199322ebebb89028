"""What needs no LLM Compressor. The rest is in test_awq_engine.py, what it has in common with others in tests/quantizers."""

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_awq.estimate import estimate
from tunesmith_awq.settings import AwqSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def estimated(**settings):
    return estimate(EstimateRequest(SMOLLM2, 269_060_552, fill(schema_of(AwqSettings), settings), dtypes=("float32", "bfloat16")))


def test_levels_that_are_not_symmetric_have_a_zero_a_group():
    matrices = 106_168_320  # weights of SmolLM2's layers
    assert estimated().disk - estimated(sym=True).disk == pytest.approx(matrices / 64 / 2, rel=0.01)
