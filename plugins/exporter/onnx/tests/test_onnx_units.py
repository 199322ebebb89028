"""What needs no exporter: its command, the files beside, the plan's refusals and estimate."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith_onnx import exporter
from tunesmith_onnx.conversion import FOLDER
from tunesmith_onnx.estimate import estimate
from tunesmith_onnx.runtime import _pieces
from tunesmith_onnx.settings import OnnxSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def test_the_conversion_runs_in_the_environments_own_interpreter() -> None:
    words = exporter.command(Path("model"), Path("out"), 20)
    assert words == (sys.executable, "-m", "tunesmith_onnx.conversion", "model", "out", "20")


def test_the_model_lies_where_transformers_js_looks_and_the_tokenizer_is_the_checkpoints(
    tmp_path: Path, local_step, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer_config.json").write_text("its author's")
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"0" * 40)
    step = local_step()
    writes = f"import pathlib; (pathlib.Path({str(step.work / 'converted')!r}) / 'model.onnx').write_bytes(b'1' * 10)"
    monkeypatch.setattr(exporter, "command", lambda *_: (sys.executable, "-c", writes))
    result = exporter.OnnxExporter(OnnxSettings()).export(Artifact("model/hf", model), step.output, step)
    assert sorted(path.name for path in step.output.iterdir()) == ["config.json", FOLDER, "tokenizer_config.json"]
    assert result.metrics == {"bytes": 10.0, "ratio": 10 / 40}


@pytest.mark.parametrize(
    "config", [{"layer_types": ["linear_attention", "full_attention"]}, {"is_encoder_decoder": True}], ids=["state", "encoder"]
)
def test_what_keeps_more_than_keys_and_values_is_refused_in_the_plan(config) -> None:
    with pytest.raises(UserError, match="TS-EXPORT-005"):
        estimate(EstimateRequest({**SMOLLM2, **config}, 269_060_552, {"opset": 18}))


def test_a_prompt_is_read_at_once_and_the_rest_token_by_token() -> None:
    assert list(_pieces(11)) == [(0, 8), (8, 9), (9, 10), (10, 11)]
    assert list(_pieces(3)) == [(0, 3)]


def test_the_size_is_that_of_the_weights_in_float32() -> None:
    """Of SmolLM2-135M, tied: 538 MB of weights."""
    assert estimate(EstimateRequest(SMOLLM2, 269_060_552, {"opset": 18})).disk == pytest.approx(538e6, rel=0.02)
    assert estimate(EstimateRequest({}, 269_060_552, {"opset": 18})).notes
