"""What needs no AutoAWQ: the plan and the estimates. The rest is in test_autoawq_engine.py."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_autoawq.estimate import quantizing, reading
from tunesmith_autoawq.settings import AutoAwqSettings, DequantizerSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def request(settings, config=SMOLLM2, **values):
    return EstimateRequest(config, 114_000_000, fill(schema_of(settings), values), data={"num_calibration_samples": 276})


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan():
    with pytest.raises(UserError, match="TS-QUANT-001"):
        quantizing(request(AutoAwqSettings, group_size=128))
    assert quantizing(request(AutoAwqSettings)).disk == pytest.approx(114_000_000, rel=0.02)


def test_reading_writes_a_plain_model_of_the_precision_that_is_asked_for():
    half, full = (reading(request(DequantizerSettings, dtype=dtype)) for dtype in ("float16", "float32"))
    assert half.disk == pytest.approx(269_030_016, rel=0.001)
    assert full.disk == 2 * half.disk


def test_unknown_sizes_are_said():
    assert quantizing(request(AutoAwqSettings, config={})).notes
    assert reading(request(DequantizerSettings, config={})).notes
