"""On an NVIDIA device the engine computes what it computes on the CPU."""

from __future__ import annotations

import os

import pytest
import torch

from tunesmith.contracts import Placement
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack

DEVICE = os.environ.get("TUNESMITH_TEST_DEVICE", "cuda")  # `cpu` tries these tests themselves
ABSENT = DEVICE.startswith("cuda") and not torch.cuda.is_available()
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(ABSENT, reason="needs an NVIDIA device")]


def test_log_probabilities_agree(tiny):
    batch = pack([TokenSequence(list(range(5, 5 + n)), [False] + [True] * (n - 1)) for n in (7, 30, 300)])
    wanted = label_log_probs(load_model(tiny), batch)
    found = label_log_probs(load_model(tiny, DEVICE), batch.to(DEVICE))
    torch.testing.assert_close(found.cpu(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_agrees(bench, chat_rows, precision):
    bench.train({"max_steps": 4}, rows=chat_rows, name="host")
    wanted = bench.series("loss")
    placement = Placement(device=torch.device(DEVICE).type, torch=DEVICE)
    bench.train({"max_steps": 4, "dtype": precision}, rows=chat_rows, name="device", placement=placement)
    assert bench.series("loss") == pytest.approx(wanted, rel=2e-2)
