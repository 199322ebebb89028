"""mlx-lm in its environment; MLX generates there, on a processor, with what it wrote, as transformers says here that it should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunesmith.contracts import TunesmithError
from tunesmith_audit.files.audit import audit
from tunesmith_mlx.exporter import MlxExporter
from tunesmith_mlx.settings import MlxSettings
from tunesmith_sdk.testing.conversions import Conversions, divergence, expected

pytestmark = pytest.mark.isolated
IDS = [[5, 17, 9, 40, 33, 8, 21], [7, 7, 90]]
WIDE = {"hidden_size": 128, "intermediate_size": 256}


@pytest.fixture(scope="module")
def conversions(tmp_path_factory: pytest.TempPathFactory) -> Conversions:
    return Conversions("tunesmith_mlx", MlxExporter, MlxSettings, tmp_path_factory)


@pytest.mark.parametrize(("family", "options"), [("llama", {}), ("qwen3", {}), ("llama", {"tie_word_embeddings": True})])
def test_what_mlx_generates_is_what_the_checkpoint_expects(
    conversions: Conversions, tiny_model: Any, family: str, options: Any
) -> None:  # fmt: skip
    import torch

    model = tiny_model(family, **options)
    made = conversions.export(model)
    for ours, theirs in zip(conversions.log_probs(made, IDS), expected(model, IDS), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)
    assert not audit(model, made).findings


@pytest.mark.parametrize(("bits", "within"), [(8, 0.01), (4, 0.5)])
def test_rounded_matrices_expect_nearly_the_same_take_less_and_are_unpacked(
    conversions: Conversions, tiny_model: Any, bits: int, within: float
) -> None:
    model = tiny_model("llama", **WIDE)
    made = conversions.export(model, bits=bits, group_size=32)
    assert sum(path.stat().st_size for path in made.glob("*.safetensors")) < (model / "model.safetensors").stat().st_size / 2
    assert 0 < divergence(expected(model, IDS), conversions.log_probs(made, IDS)) < within
    found = audit(model, made)
    assert (found.findings, found.figures["not_unpacked"]) == ((), 0)


def test_an_architecture_that_mlx_lm_does_not_know_is_refused_in_its_words(conversions: Conversions, tiny_model: Any) -> None:
    model = tiny_model("llama")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "model_type": "tilted"}))
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as told:
        conversions.export(model)
    assert "tilted" in str(told.value.why)
