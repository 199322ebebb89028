"""What needs no LLM Compressor. The rest is in test_compressed_tensors_engine.py, what it has in common with others in tests/quantizers."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_compressed_tensors.estimate import estimate
from tunesmith_compressed_tensors.schemes import SCHEMES
from tunesmith_compressed_tensors.settings import CompressedTensorsSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def estimated(**settings):
    filled = fill(schema_of(CompressedTensorsSettings), settings)
    return estimate(EstimateRequest(SMOLLM2, 269_060_552, filled, dtypes=("float32", "bfloat16")))


@pytest.mark.parametrize("scheme", [name for name, scheme in SCHEMES.items() if not scheme.grouped])
def test_a_group_size_that_would_have_no_effect_is_refused_by_the_plan(scheme):
    with pytest.raises(UserError, match="TS-QUANT-006"):
        estimated(scheme=scheme, group_size=64)
    assert estimated(scheme=scheme).disk


def test_plain_rounding_takes_less_memory_and_the_same_room():
    more, less = estimated(), estimated(algorithm="rtn")
    assert more.memory > less.memory
    assert more.disk == less.disk


def test_a_recipe_says_groups_where_there_are_and_activations_where_they_are_quantized():
    grouped, rows = SCHEMES["W4A16"].group(64), SCHEMES["W8A8"].group(0)
    assert (grouped["weights"]["group_size"], grouped["weights"]["num_bits"], "input_activations" in grouped) == (64, 4, False)
    assert ("group_size" in rows["weights"], rows["input_activations"]["dynamic"]) == (False, True)
