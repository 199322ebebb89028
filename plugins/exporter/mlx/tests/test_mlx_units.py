"""What needs no MLX: its command, the files beside, groups, the estimate."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith_audit.files.packed_weights import plain
from tunesmith_audit.files.tensors import tensors_of
from tunesmith_mlx import exporter
from tunesmith_mlx.estimate import estimate
from tunesmith_mlx.settings import MlxSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2

SETTINGS = {"bits": 0, "group_size": 64, "dtype": "auto"}


def test_mlx_lm_runs_in_the_environments_own_interpreter_and_is_told_the_settings() -> None:
    words = exporter.command(Path("model"), Path("out"), MlxSettings(4, 32, "float16"))
    assert words[0] == sys.executable
    assert [words[words.index(name) + 1] for name in ("--q-bits", "--q-group-size", "--dtype")] == ["4", "32", "float16"]
    plain_words = exporter.command(Path("model"), Path("out"), MlxSettings())
    assert not {"--quantize", "--q-group-size", "--dtype"} & set(plain_words)


def test_the_tokenizer_is_the_checkpoints_and_a_hubs_card_is_left_out(tmp_path: Path, local_step, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer_config.json").write_text("its author's")
    (model / "config.json").write_text('{"dtype": "float32"}')
    (model / "model.safetensors").write_bytes(b"0" * 40)
    step = local_step()
    writes = (
        f"import pathlib; out = pathlib.Path({str(step.work / 'converted')!r}); out.mkdir(); (out / 'README.md').write_text('a card'); "
        "(out / 'tokenizer_config.json').write_text('rewritten'); (out / 'model.safetensors').write_bytes(b'1' * 10)"
    )
    monkeypatch.setattr(exporter, "command", lambda *_: (sys.executable, "-c", writes))
    result = exporter.MlxExporter(MlxSettings()).export(Artifact("model/hf", model), step.output, step)
    assert (step.output / "tokenizer_config.json").read_text() == "its author's"
    assert not (step.output / "README.md").exists()
    assert result.metrics == {"bytes": 10.0, "ratio": 10 / 40}
    assert result.meta == {"bits": 32}


def test_a_matrix_that_mlx_would_keep_whole_is_refused_in_the_plan() -> None:
    with pytest.raises(UserError, match="TS-QUANT-001"):
        estimate(EstimateRequest(SMOLLM2, 269_060_552, {**SETTINGS, "bits": 4, "group_size": 128}))
    assert estimate(EstimateRequest(SMOLLM2, 269_060_552, {**SETTINGS, "bits": 0, "group_size": 128})).disk


@pytest.mark.parametrize(("bits", "dtype", "megabytes"), [(0, "float32", 538.1), (8, "auto", 143.0), (4, "auto", 75.7)])
def test_the_size_is_what_was_seen_of_a_real_model(bits: int, dtype: str, megabytes: float) -> None:
    """Of SmolLM2-135M, tied, with mlx-lm 0.32.2."""
    found = estimate(EstimateRequest(SMOLLM2, 269_060_552, {**SETTINGS, "bits": bits, "dtype": dtype}))
    assert found.disk == pytest.approx(megabytes * 1e6, rel=0.02)
    assert estimate(EstimateRequest({}, 269_060_552, {**SETTINGS, "bits": bits, "dtype": dtype})).notes


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_what_mlx_packs_is_unpacked_by_the_audit(tmp_path: Path, bits: int) -> None:
    """Codes side by side from the lowest bits on, a scale and an offset for 32 of them; written here as MLX writes them."""
    from safetensors.numpy import save_file

    random = np.random.default_rng(0)
    codes = random.integers(0, 2**bits, (3, 64), dtype=np.uint32)
    each = 32 // bits
    words = (codes.reshape(3, -1, each) << (bits * np.arange(each, dtype=np.uint32))).sum(-1, dtype=np.uint32)
    scales, biases = random.standard_normal((2, 3, 2), dtype=np.float32)
    save_file({"x.weight": words, "x.scales": scales, "x.biases": biases}, tmp_path / "model.safetensors")
    parts = {name.removeprefix("x."): tensor for name, tensor in tensors_of(tmp_path).items()}
    expected = codes * scales.repeat(32, 1) + biases.repeat(32, 1)
    np.testing.assert_allclose(plain(parts, (3, 64), {"bits": bits, "group_size": 32}), expected, rtol=1e-6)
