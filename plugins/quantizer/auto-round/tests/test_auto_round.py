"""What needs no AutoRound: the plan and the estimate. The rest is in test_auto_round_engine.py."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_auto_round.estimate import estimate, size
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.model_configs import SMOLLM2


def request(config=SMOLLM2, dtypes=("float32", "bfloat16"), **settings):
    return EstimateRequest(
        config, 269_060_552, fill(schema_of(AutoRoundSettings), settings), data={"num_calibration_samples": 276}, dtypes=dtypes
    )


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan():
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        estimate(request(group_size=128))
    assert "576" in caught.value.what
    assert "`group_size: 64`" in caught.value.fix


def test_without_a_group_size_the_largest_that_fits_is_taken():
    assert estimate(request()).disk == estimate(request(group_size=64)).disk


def test_fewer_rows_and_smaller_batches_take_less_memory_and_unknown_sizes_are_said():
    more, rows, batch = (estimate(request(**one)) for one in ({}, {"num_calibration_samples": 16}, {"batch_size": 1}))
    assert more.memory > max(rows.memory, batch.memory) > 0
    assert more.disk == rows.disk
    assert estimate(request(config={})).notes


def test_fewer_bits_are_fewer_bytes():
    eight, four, two = (size(ModelShape.from_config(SMOLLM2), bits, 64) for bits in (8, 4, 2))
    assert eight > four > two
