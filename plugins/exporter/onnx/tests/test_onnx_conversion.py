"""PyTorch's exporter in its environment; ONNX Runtime generates there with what it wrote, as transformers says here that it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact
from tunesmith_onnx.exporter import OnnxExporter
from tunesmith_onnx.settings import OnnxSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of

pytestmark = pytest.mark.isolated
SOURCES = Path(__file__).parents[1] / "src"
IDS = [list(range(5, 25)), [7, 7, 90]]
ASK = """
import json, sys
from tunesmith_onnx.runtime import log_probs
ids = json.loads(sys.argv[2])
print(json.dumps([found.tolist() for found in log_probs(sys.argv[1], ids)]))
"""
PADDED = """
import json, sys
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1] + "/onnx/model.onnx")
rows = json.loads(sys.argv[2])
long = max(map(len, rows))
ids, mask, places = ([[before] * (long - len(row)) + after(row) for row in rows] for before, after in (
    (0, list), (0, lambda row: [1] * len(row)), (0, lambda row: list(range(len(row))))))
given = {name: numpy.array(one) for name, one in (("input_ids", ids), ("attention_mask", mask), ("position_ids", places))}
for one in session.get_inputs():
    if one.name.startswith("past"):
        given[one.name] = numpy.zeros((len(rows), one.shape[1], 0, one.shape[3]), numpy.float32)
logits = session.run(["logits"], given)[0]
print(json.dumps([logits[at, long - len(row):].tolist() for at, row in enumerate(rows)]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(environment_of("tunesmith_onnx", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="module")
def export(python: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``export(model)``: the directory that the exporter wrote."""

    def run(model: Path, **settings: Any) -> Path:
        step = LocalStep.make(tmp_path_factory.mktemp("onnx"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", python)
            patch.setenv("PYTHONPATH", str(SOURCES))
            OnnxExporter(OnnxSettings(**settings)).export(Artifact("model/hf", model), step.output, step)
        return step.output

    return run


def asked(python: str, made: Path, program: str) -> list[Any]:
    import torch

    done = subprocess.run(
        [python, "-c", program, str(made), json.dumps(IDS)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )  # fmt: skip
    return [torch.tensor(one).log_softmax(-1) for one in json.loads(done.stdout.splitlines()[-1])]


def expected(model: Path) -> list[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.no_grad():
        return [theirs(torch.tensor([row])).logits[0].log_softmax(-1) for row in IDS]


@pytest.mark.parametrize(("family", "options"), [("llama", {}), ("gemma2", {"sliding_window": 8})], ids=["llama", "windows"])
def test_what_is_generated_is_what_the_checkpoint_expects_alone_and_padded(
    python: str, export: Any, tiny_model: Any, family: str, options: Any
) -> None:
    import torch

    model = tiny_model(family, **options)
    made = export(model)
    assert str(Path.home()) not in (made / "onnx" / "model.onnx").read_bytes().decode("latin-1"), "the machine's folders"
    for program in (ASK, PADDED):
        for ours, theirs in zip(asked(python, made, program), expected(model), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
