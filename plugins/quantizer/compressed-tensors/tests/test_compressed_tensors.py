"""What needs no LLM Compressor: the plan and the estimate. The rest is in test_compressed_tensors_engine.py."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_compressed_tensors.estimate import estimate, size
from tunesmith_compressed_tensors.schemes import SCHEMES
from tunesmith_compressed_tensors.settings import CompressedTensorsSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.model_configs import SMOLLM2


def request(config=SMOLLM2, dtypes=("float32", "bfloat16"), **settings):
    return EstimateRequest(
        config, 269_060_552, fill(schema_of(CompressedTensorsSettings), settings), data={"num_calibration_samples": 276}, dtypes=dtypes
    )


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan():
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        estimate(request(group_size=128))
    assert "576" in caught.value.what
    assert "`group_size: 64`" in caught.value.fix


@pytest.mark.parametrize("scheme", [name for name, scheme in SCHEMES.items() if not scheme.grouped])
def test_a_group_size_that_would_have_no_effect_is_refused_by_the_plan(scheme):
    with pytest.raises(UserError, match="TS-QUANT-006"):
        estimate(request(scheme=scheme, group_size=64))
    assert estimate(request(scheme=scheme)).disk


def test_fewer_rows_and_plain_rounding_take_less_memory_and_unknown_sizes_are_said():
    more, rows, rounding = (estimate(request(**one)) for one in ({}, {"num_calibration_samples": 16}, {"algorithm": "rtn"}))
    assert more.memory > max(rows.memory, rounding.memory) > 0
    assert more.disk == rows.disk == rounding.disk
    assert estimate(request(config={})).notes


def test_bits_and_groups_make_the_size():
    shape = ModelShape.from_config(SMOLLM2)
    assert size(shape, 8, 0) > size(shape, 4, 32) > size(shape, 4, 64)


def test_a_recipe_says_groups_where_there_are_and_activations_where_they_are_quantized():
    grouped, rows = SCHEMES["W4A16"].group(64), SCHEMES["W8A8"].group(0)
    assert (grouped["weights"]["group_size"], grouped["weights"]["num_bits"], "input_activations" in grouped) == (64, 4, False)
    assert ("group_size" in rows["weights"], rows["input_activations"]["dynamic"]) == (False, True)
