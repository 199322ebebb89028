"""What every quantizer that goes through a model layer by layer promises of its plan; what one alone does is tested beside it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith.plugins.manifest import read_manifest
from tunesmith_sdk.testing.model_configs import SMOLLM2

ROOT = Path(__file__).parents[2]
QUANTIZERS = ("gptq", "awq", "compressed-tensors", "auto-round")
NO_EXPERTS = ("gptq", "auto-round")
#: bytes of the files that runs on SmolLM2-135M wrote, by their READMEs
WRITTEN = {"gptq": 114_000_088, "awq": 114_029_456, "compressed-tensors": 113e6, "auto-round": 115e6}
PEAKS = {"gptq": 1.438e9, "awq": 1.026e9}  #: resident, as they were measured
MIXTRAL = {
    "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "vocab_size": 320, "tie_word_embeddings": False,
}  # fmt: skip


def found(target):
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


@pytest.fixture(params=QUANTIZERS)
def record(request):
    manifest = next((ROOT / "plugins" / "quantizer" / request.param / "src").glob("*/plugin.toml"))
    return next(one for one in read_manifest(manifest).providers if one.kind == "quantizer")


@pytest.fixture
def estimated(record):
    def estimate(config=SMOLLM2, dtypes=("float32", "bfloat16"), **settings):
        filled = fill(schema_of(found(record.settings)), settings)
        return found(record.estimator)(EstimateRequest(config, 269_060_552, filled, data={"rows": 276}, dtypes=dtypes))

    return estimate


def test_a_group_size_that_does_not_divide_the_matrices_is_refused_with_those_that_do(estimated):
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        estimated(group_size=128)
    assert "576" in caught.value.what
    assert "`group_size: 64`" in caught.value.fix
    assert estimated().disk == estimated(group_size=64).disk


def test_fewer_rows_take_less_memory_and_the_same_room(estimated):
    more, less = estimated(), estimated(num_calibration_samples=16)
    assert more.memory > less.memory > 0
    assert more.disk == less.disk
    assert estimated(config={}).notes


def test_the_size_is_that_of_the_files_that_were_written(estimated, record):
    assert estimated().disk == pytest.approx(WRITTEN[record.name], rel=0.02)


def test_the_estimate_is_near_the_peak_that_was_measured(estimated, record):
    assert (record.name not in PEAKS) or estimated().memory == pytest.approx(PEAKS[record.name], rel=0.15)


def test_experts_are_refused_by_those_whose_library_writes_them_under_other_names(estimated, record):
    if record.name not in NO_EXPERTS:
        assert estimated(config=MIXTRAL).disk
        return
    with pytest.raises(UserError, match="TS-QUANT-008") as caught:
        estimated(config=MIXTRAL)
    assert "awq" in caught.value.fix


def test_rows_are_needed_and_drawn_by_the_seed(record):
    assert record.facts["calibration"]
    assert "seed" in record.schema["properties"]["num_calibration_samples"]["description"]
