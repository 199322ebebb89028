"""What needs no converter: its command, the files beside, the estimate."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, EstimateRequest
from tunesmith_onnxruntime_genai import exporter
from tunesmith_onnxruntime_genai.estimate import estimate
from tunesmith_onnxruntime_genai.settings import OnnxRuntimeGenAISettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def test_the_builder_runs_in_the_environments_own_interpreter_and_is_told_the_settings() -> None:
    words = exporter.command(Path("model"), Path("out"), Path("cache"), OnnxRuntimeGenAISettings("int4", 64))
    assert words[0] == sys.executable
    assert words[words.index("-p") + 1] == "int4"
    assert words[-1] == "block_size=64"
    assert "--extra_options" not in exporter.command(Path("model"), Path("out"), Path("cache"), OnnxRuntimeGenAISettings())


def test_the_tokenizer_is_the_checkpoints_and_the_bits_are_told(tmp_path: Path, local_step, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer_config.json").write_text("its author's")
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"0" * 40)
    step = local_step()
    writes = (
        f"import pathlib; out = pathlib.Path({str(step.output)!r}); (out / 'tokenizer_config.json').write_text('rewritten'); "
        "(out / 'model.onnx').write_bytes(b'1' * 6); (out / 'model.onnx.data').write_bytes(b'1' * 4)"
    )
    monkeypatch.setattr(exporter, "command", lambda *_: (sys.executable, "-c", writes))
    result = exporter.OnnxRuntimeGenAIExporter(OnnxRuntimeGenAISettings("int8")).export(Artifact("model/hf", model), step.output, step)
    assert (step.output / "tokenizer_config.json").read_text() == "its author's"
    assert result.metrics == {"bytes": 10.0, "ratio": 10 / 40}
    assert result.meta == {"bits": 8}


@pytest.mark.parametrize(
    ("dtype", "megabytes", "peak"), [("float32", 540.2, 1295), ("int8", 266.8, 2026), ("int4", 86.3, 1813)], ids=["float32", "int8", "int4"]
)
def test_size_and_memory_are_what_was_seen_of_a_real_model(dtype: str, megabytes: float, peak: float) -> None:
    """Of SmolLM2-135M, tied, with onnxruntime-genai 0.18.0."""
    found = estimate(EstimateRequest(SMOLLM2, 269_060_552, {"dtype": dtype, "group_size": 32}))
    assert found.disk == pytest.approx(megabytes * 1e6, rel=0.02)
    assert found.memory == pytest.approx(peak * 2**20, rel=0.2)
    assert estimate(EstimateRequest({}, 269_060_552, {"dtype": dtype, "group_size": 32})).notes
