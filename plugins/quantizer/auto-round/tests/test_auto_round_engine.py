"""AutoRound itself, in its environment, by real runs: the check `audit` unpacks what it wrote, runs it, and keeps what it found."""

import json
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith_sdk.testing.real_models import smollm2

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
EXAMPLES = Path(__file__).parents[4] / "examples" / "quickstart"
SHORT = {"group_size": 32, "iters": 4, "num_calibration_samples": 24, "max_seq_length": 64}


@pytest.fixture(scope="module")
def tiny(tiny_model):
    return tiny_model(hidden_size=128, head_dim=32, intermediate_size=256)


def quantize(home, model, **settings):
    """The step that quantized, by a run."""
    steps = {"small": {"quantize": {"auto-round": {**SHORT, **settings}}, "data": "train.jsonl"}}
    outcome = ts.Pipeline(model=f"file://{model}", steps=steps, base=EXAMPLES, home=home).run()
    assert outcome.state == "done", outcome.error and outcome.error.to_json()
    return outcome.steps["small"]


@pytest.mark.parametrize("settings", [{}, {"bits": 8}, {"group_size": -1}])
def test_the_quantized_model_computes_nearly_what_the_model_did(tmp_path, tiny, settings):
    found = quantize(tmp_path, tiny, **settings).artifact.meta["audit"]
    assert found["compared"]
    assert 0 < found["kl"] < (1e-5 if settings.get("bits") == 8 else 1e-2)


def test_the_same_rows_give_the_same_files_in_another_run(tmp_path, tiny):
    first, second = (quantize(tmp_path / name, tiny).artifact for name in ("one", "two"))
    assert first.path != second.path
    assert first.digest == second.digest


def test_what_is_written_is_a_model_and_nothing_of_the_run(tmp_path, tiny):
    small = quantize(tmp_path, tiny)
    names = {path.name for path in small.artifact.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert "quantization_config.json" not in names
    config = json.loads((small.artifact.path / "config.json").read_text())
    assert (small.artifact.format, config["quantization_config"]["quant_method"]) == ("model/gptq", "gptq")
    assert (small.artifact.path / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()


def test_a_real_model_stays_within_the_bounds_of_its_bits(tmp_path):
    """The check would refuse it otherwise; the figures are those of the README."""
    source = smollm2(tmp_path, "bfloat16")
    small = quantize(tmp_path / "home", source.path, group_size=64, iters=8, num_calibration_samples=64, max_seq_length=256, batch_size=4)
    assert small.artifact.meta["audit"]["compared"]
    assert small.metrics["ratio"] < 0.45
