"""What needs no AutoGPTQ: the plan and the estimates. The rest is in test_auto_gptq_engine.py."""

import numpy
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_auto_gptq.estimate import quantizing, reading
from tunesmith_auto_gptq.safetensors_header import drop_metadata
from tunesmith_auto_gptq.settings import AutoGptqSettings, DequantizerSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def request(settings, config=SMOLLM2, **values):
    return EstimateRequest(config, 114_000_000, fill(schema_of(settings), values), data={"num_calibration_samples": 276})


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan():
    with pytest.raises(UserError, match="TS-QUANT-001"):
        quantizing(request(AutoGptqSettings, group_size=128))
    assert quantizing(request(AutoGptqSettings)).disk == pytest.approx(114_000_000, rel=0.02)


def test_reading_writes_a_plain_model_of_the_precision_that_is_asked_for():
    half, full = (reading(request(DequantizerSettings, dtype=dtype)) for dtype in ("float16", "float32"))
    assert half.disk == pytest.approx(269_030_016, rel=0.001)
    assert full.disk == 2 * half.disk


def test_of_a_files_metadata_only_the_format_is_left(tmp_path):
    tensors = {"a": numpy.arange(3.0), "b": numpy.arange(5)}
    save_file(tensors, tmp_path / "x", metadata={"format": "pt", "more": "é", "and": "more"})
    drop_metadata(tmp_path / "x")
    found = load_file(tmp_path / "x")
    assert all((found[name] == tensors[name]).all() for name in tensors)
    with safe_open(tmp_path / "x", "numpy") as file:
        assert file.metadata() == {"format": "pt"}


def test_unknown_sizes_are_said():
    assert quantizing(request(AutoGptqSettings, config={})).notes
    assert reading(request(DequantizerSettings, config={})).notes
