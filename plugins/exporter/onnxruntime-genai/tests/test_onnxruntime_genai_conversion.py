"""The real builder in its environment; ONNX Runtime generates there with what it wrote, as transformers says here that it should."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.contracts import TunesmithError
from tunesmith_onnxruntime_genai.exporter import OnnxRuntimeGenAIExporter
from tunesmith_onnxruntime_genai.settings import OnnxRuntimeGenAISettings
from tunesmith_sdk.testing.conversions import Conversions, divergence, expected

pytestmark = pytest.mark.isolated
IDS = [[5, 17, 9, 40, 33, 8, 21], [7, 7, 90]]


@pytest.fixture(scope="module")
def conversions(tmp_path_factory: pytest.TempPathFactory) -> Conversions:
    return Conversions("tunesmith_onnxruntime_genai", OnnxRuntimeGenAIExporter, OnnxRuntimeGenAISettings, tmp_path_factory)


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_what_is_generated_is_what_the_checkpoint_expects(conversions: Conversions, tiny_model: Any, family: str) -> None:
    import torch

    model = tiny_model(family)
    for ours, theirs in zip(conversions.log_probs(conversions.export(model), IDS), expected(model, IDS), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("dtype", "within"), [("int8", 0.01), ("int4", 0.5)])
def test_rounded_matrices_expect_nearly_the_same_and_take_less(
    conversions: Conversions, tiny_model: Any, dtype: str, within: float
) -> None:
    model = tiny_model("llama", hidden_size=128, intermediate_size=256)
    made, exact = conversions.export(model, dtype=dtype), conversions.export(model)
    assert (made / "model.onnx.data").stat().st_size < (exact / "model.onnx.data").stat().st_size
    assert 0 < divergence(expected(model, IDS), conversions.log_probs(made, IDS)) < within


def test_an_architecture_that_the_builder_does_not_know_is_refused_in_its_words(conversions: Conversions, tiny_model: Any) -> None:
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as told:
        conversions.export(tiny_model("gpt_neox"))
    assert "not" in str(told.value.why)
