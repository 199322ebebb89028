"""PyTorch's exporter in its environment; ONNX Runtime generates there with what it wrote, as transformers says here that it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith_onnx.exporter import OnnxExporter
from tunesmith_onnx.settings import OnnxSettings
from tunesmith_sdk.testing.conversions import Conversions, expected

pytestmark = pytest.mark.isolated
IDS = [list(range(5, 25)), [7, 7, 90]]
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
def conversions(tmp_path_factory: pytest.TempPathFactory) -> Conversions:
    return Conversions("tunesmith_onnx", OnnxExporter, OnnxSettings, tmp_path_factory)


@pytest.mark.parametrize(("family", "options"), [("llama", {}), ("gemma2", {"sliding_window": 8})], ids=["llama", "windows"])
def test_what_is_generated_is_what_the_checkpoint_expects_alone_and_padded(
    conversions: Conversions, tiny_model: Any, family: str, options: Any
) -> None:
    import torch

    model = tiny_model(family, **options)
    made = conversions.export(model)
    assert str(Path.home()) not in (made / "onnx" / "model.onnx").read_bytes().decode("latin-1"), "the machine's folders"
    for program in ("", PADDED):
        for ours, theirs in zip(conversions.log_probs(made, IDS, program), expected(model, IDS), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
