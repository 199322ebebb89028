"""What needs no LLM Compressor: the plan and the estimate. The rest is in test_awq_engine.py."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_awq.estimate import estimate, size
from tunesmith_awq.settings import AwqSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.model_configs import SMOLLM2


def request(config=SMOLLM2, dtypes=("float32", "bfloat16"), **settings):
    return EstimateRequest(
        config, 269_060_552, fill(schema_of(AwqSettings), settings), data={"num_calibration_samples": 276}, dtypes=dtypes
    )


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan():
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        estimate(request(group_size=128))
    assert "576" in caught.value.what
    assert "`group_size: 64`" in caught.value.fix


def test_without_a_group_size_the_largest_that_fits_is_taken():
    assert estimate(request()).disk == estimate(request(group_size=64)).disk


def test_the_size_is_that_of_the_files_that_were_written():
    assert size(ModelShape.from_config(SMOLLM2), 4, 64, sym=False) == pytest.approx(114029456, rel=0.02)


def test_fewer_rows_take_less_memory_and_unknown_sizes_are_said():
    more, less = (estimate(request(group_size=64, num_calibration_samples=rows)) for rows in (64, 16))
    assert more.memory > less.memory > 0
    assert more.disk == less.disk
    assert estimate(request(config={})).notes


def test_where_bfloat16_is_not_native_it_is_computed_in_float32_and_written_as_before():
    native, other = estimate(request()), estimate(request(dtypes=("float32",)))
    assert other.terms["model"] == 2 * native.terms["model"]
    assert other.disk == native.disk


def test_the_estimate_is_near_the_peak_that_was_measured():
    assert estimate(request()).memory == pytest.approx(1.026e9, rel=0.15)
