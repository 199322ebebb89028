"""GPTQModel itself, in its environment, by real runs. What it wrote is unpacked by another library (AutoGPTQ) and looked at here."""

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


def run(home, model, **steps):
    """What the steps made, by name."""
    outcome = ts.Pipeline(model=f"file://{model}", steps=steps, base=EXAMPLES, home=home).run()
    assert outcome.state == "done", outcome.error and outcome.error.to_json()
    return outcome.steps


def quantize(**settings):
    return {"quantize": {"gptq": {"group_size": 32, "num_calibration_samples": 24, **settings}}, "data": "train.jsonl"}


@pytest.mark.parametrize("settings", [{}, {"bits": 8}, {"group_size": -1}, {"desc_act": True, "sym": False}])
def test_the_quantized_model_computes_nearly_what_the_model_did(tmp_path, tiny, settings):
    import torch
    from transformers import AutoModelForCausalLM

    steps = run(tmp_path, tiny, small=quantize(**settings), plain={"export": {"auto-gptq": {"dtype": "float32"}}, "from": "small"})
    ids = torch.arange(3, 67).reshape(2, 32)
    with torch.no_grad():
        exact, got = (
            AutoModelForCausalLM.from_pretrained(path, dtype="float32")(ids).logits.log_softmax(-1)
            for path in (tiny, steps["plain"].artifact.path)
        )
    divergence = float((exact.exp() * (exact - got)).sum(-1).mean())
    assert 0 < divergence < (1e-3 if settings.get("bits") == 8 else 1e-2)


def test_the_same_rows_give_the_same_files_in_another_run(tmp_path, tiny):
    first, second = (run(tmp_path / name, tiny, small=quantize())["small"].artifact for name in ("one", "two"))
    assert first.path != second.path
    assert first.digest == second.digest


def test_what_is_written_is_a_model_and_nothing_of_the_run(tmp_path, tiny):
    small = run(tmp_path, tiny, small=quantize())["small"]
    names = {path.name for path in small.artifact.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert "quant_log.csv" not in names
    config = json.loads((small.artifact.path / "config.json").read_text())
    assert (small.artifact.format, config["quantization_config"]["quant_method"]) == ("model/gptq", "gptq")
    assert small.metrics["ratio"] < 0.4
    assert (small.artifact.path / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()


def test_a_real_model_keeps_its_wits(tmp_path):
    """Perplexity of the quickstart's held-out answers within 1.25 times that of the model that was quantized."""
    source = smollm2(tmp_path, "bfloat16")
    steps = run(
        tmp_path / "home", source.path, small=quantize(group_size=64, num_calibration_samples=64),
        plain={"export": "auto-gptq", "from": "small"},
        before={"evaluate": "perplexity", "data": "held-out.jsonl"},
        after={"evaluate": "perplexity", "from": "plain", "data": "held-out.jsonl"},
    )  # fmt: skip
    assert steps["after"].metrics["perplexity"] < 1.25 * steps["before"].metrics["perplexity"]
    assert steps["small"].metrics["ratio"] < 0.45
