"""LLM Compressor itself, in its environment, by real runs: the check `audit` runs what it wrote against its parent."""

import json
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith_sdk.testing.real_models import smollm2

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
EXAMPLES = Path(__file__).parents[4] / "examples" / "quickstart"


@pytest.fixture(scope="module")
def tiny(tiny_model):
    return tiny_model(hidden_size=128, head_dim=32, intermediate_size=256)


def quantize(home, model, **settings):
    """The step that quantized, by a run."""
    steps = {"small": {"quantize": {"compressed-tensors": {"num_calibration_samples": 24, **settings}}, "data": "train.jsonl"}}
    outcome = ts.Pipeline(model=f"file://{model}", steps=steps, base=EXAMPLES, home=home).run()
    assert outcome.state == "done", outcome.error and outcome.error.to_json()
    return outcome.steps["small"]


@pytest.mark.parametrize(
    ("settings", "divergence"),
    [
        ({"scheme": "W4A16", "group_size": 32}, 1e-2), ({"scheme": "W4A16", "algorithm": "rtn"}, 1e-2), ({"scheme": "W8A16"}, 1e-4),
        ({"scheme": "W8A8"}, 1e-4), ({"scheme": "FP8"}, 1e-3), ({"scheme": "FP8_DYNAMIC", "kv_cache_dtype": "fp8"}, 1e-3),
    ],
)  # fmt: skip
def test_the_quantized_model_computes_nearly_what_the_model_did(tmp_path, tiny, settings, divergence):
    small = quantize(tmp_path, tiny, **settings)
    found = small.artifact.meta["audit"]
    assert found["compared"]
    assert 0 < found["kl"] < divergence
    config = json.loads((small.artifact.path / "config.json").read_text())["quantization_config"]
    assert bool(config["kv_cache_scheme"]) == ("kv_cache_dtype" in settings)


def test_the_same_rows_give_the_same_files_in_another_run(tmp_path, tiny):
    first, second = (quantize(tmp_path / name, tiny).artifact for name in ("one", "two"))
    assert first.path != second.path
    assert first.digest == second.digest


def test_what_is_written_is_a_model_and_nothing_of_the_run(tmp_path, tiny):
    small = quantize(tmp_path, tiny)
    names = {path.name for path in small.artifact.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert "recipe.yaml" not in names
    assert (small.artifact.path / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("scheme", ["W4A16", "W8A8", "FP8"])
def test_a_real_model_stays_within_the_bounds_of_its_bits(tmp_path, scheme):
    """The check would refuse it otherwise; the figures are those of the README."""
    source = smollm2(tmp_path, "bfloat16")
    assert quantize(tmp_path / "home", source.path, scheme=scheme, max_seq_length=256).artifact.meta["audit"]["compared"]
