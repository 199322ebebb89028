"""The real builder in its environment; ONNX Runtime generates there with what it wrote, as transformers says here that it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_onnxruntime_genai.exporter import OnnxRuntimeGenAIExporter
from tunesmith_onnxruntime_genai.settings import OnnxRuntimeGenAISettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of

pytestmark = pytest.mark.isolated
SOURCES = Path(__file__).parents[1] / "src"
IDS = [[5, 17, 9, 40, 33, 8, 21], [7, 7, 90]]
ASK = """
import json, sys
from tunesmith_onnxruntime_genai.runtime import log_probs
ids = json.loads(sys.argv[2])
print(json.dumps([found.tolist() for found in log_probs(sys.argv[1], ids)]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(environment_of("tunesmith_onnxruntime_genai", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="module")
def export(python: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``export(model, dtype="float32")``: the directory that the exporter wrote."""

    def run(model: Path, **settings: Any) -> Path:
        step = LocalStep.make(tmp_path_factory.mktemp("onnx"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", python)
            OnnxRuntimeGenAIExporter(OnnxRuntimeGenAISettings(**settings)).export(Artifact("model/hf", model), step.output, step)
        return step.output

    return run


def generated(python: str, model: Path) -> list[Any]:
    """What ONNX Runtime expects after each token."""
    import torch

    done = subprocess.run(
        [python, "-c", ASK, str(model), json.dumps(IDS)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )  # fmt: skip
    return [torch.tensor(one) for one in json.loads(done.stdout.splitlines()[-1])]


def expected(model: Path) -> list[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.no_grad():
        return [theirs(torch.tensor([row])).logits[0].log_softmax(-1) for row in IDS]


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_what_is_generated_is_what_the_checkpoint_expects(python: str, export: Any, tiny_model: Any, family: str) -> None:
    import torch

    model = tiny_model(family)
    for ours, theirs in zip(generated(python, export(model)), expected(model), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("dtype", "within"), [("int8", 0.01), ("int4", 0.5)])
def test_rounded_matrices_expect_nearly_the_same_and_take_less(
    python: str, export: Any, tiny_model: Any, dtype: str, within: float
) -> None:
    model = tiny_model("llama", hidden_size=128, intermediate_size=256)
    made, exact = export(model, dtype=dtype), export(model)
    assert (made / "model.onnx.data").stat().st_size < (exact / "model.onnx.data").stat().st_size
    for ours, theirs in zip(generated(python, made), expected(model), strict=True):
        assert 0 < float((theirs.exp() * (theirs - ours)).sum(-1).mean()) < within


def test_an_architecture_that_the_builder_does_not_know_is_refused_in_its_words(export: Any, tiny_model: Any) -> None:
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as told:
        export(tiny_model("gpt_neox"))
    assert "not" in str(told.value.why)
