"""mlx-lm in its environment; MLX generates there, on a processor, with what it wrote, as transformers says here that it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_audit.files.audit import audit
from tunesmith_mlx.exporter import MlxExporter
from tunesmith_mlx.settings import MlxSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of

pytestmark = pytest.mark.isolated
SOURCES = Path(__file__).parents[1] / "src"
IDS = [[5, 17, 9, 40, 33, 8, 21], [7, 7, 90]]
WIDE = {"hidden_size": 128, "intermediate_size": 256}
ASK = """
import json, sys
from tunesmith_mlx.runtime import log_probs
ids = json.loads(sys.argv[2])
print(json.dumps([found.tolist() for found in log_probs(sys.argv[1], ids)]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(environment_of("tunesmith_mlx", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="module")
def export(python: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``export(model, bits=4)``: the directory that the exporter wrote."""

    def run(model: Path, **settings: Any) -> Path:
        step = LocalStep.make(tmp_path_factory.mktemp("mlx"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", python)
            MlxExporter(MlxSettings(**settings)).export(Artifact("model/hf", model), step.output, step)
        return step.output

    return run


def divergence(python: str, made: Path, model: Path) -> tuple[float, float]:
    """(largest difference of a log-probability, mean divergence in nats) from what transformers says of the checkpoint."""
    import torch
    from transformers import AutoModelForCausalLM

    done = subprocess.run(
        [python, "-c", ASK, str(made), json.dumps(IDS)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )  # fmt: skip
    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.no_grad():
        before = torch.cat([theirs(torch.tensor([row])).logits[0].log_softmax(-1) for row in IDS])
    after = torch.cat([torch.tensor(one) for one in json.loads(done.stdout.splitlines()[-1])])
    return float((before - after).abs().max()), float((before.exp() * (before - after)).sum(-1).mean())


@pytest.mark.parametrize(("family", "options"), [("llama", {}), ("qwen3", {}), ("llama", {"tie_word_embeddings": True})])
def test_what_mlx_generates_is_what_the_checkpoint_expects(python: str, export: Any, tiny_model: Any, family: str, options: Any) -> None:
    model = tiny_model(family, **options)
    made = export(model)
    assert divergence(python, made, model)[0] < 1e-3
    assert not audit(model, made).findings


@pytest.mark.parametrize(("bits", "within"), [(8, 0.01), (4, 0.5)])
def test_rounded_matrices_expect_nearly_the_same_take_less_and_are_unpacked(
    python: str, export: Any, tiny_model: Any, bits: int, within: float
) -> None:  # fmt: skip
    model = tiny_model("llama", **WIDE)
    made = export(model, bits=bits, group_size=32)
    assert sum(path.stat().st_size for path in made.glob("*.safetensors")) < (model / "model.safetensors").stat().st_size / 2
    assert 0 < divergence(python, made, model)[1] < within
    found = audit(model, made)
    assert (found.findings, found.figures["not_unpacked"]) == ((), 0)


def test_an_architecture_that_mlx_lm_does_not_know_is_refused_in_its_words(export: Any, tiny_model: Any) -> None:
    model = tiny_model("llama")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "model_type": "tilted"}))
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as told:
        export(model)
    assert "tilted" in str(told.value.why)
