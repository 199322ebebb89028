"""AutoAWQ itself, in its environment, by real runs on a random Llama of two layers."""

import json
import shutil
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
EXAMPLES = Path(__file__).parents[4] / "examples" / "quickstart"
PLAIN = {"export": {"autoawq": {"dtype": "float32"}}, "from": "old"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Its rope_theta is not the default: an older library that did not see it would compute something else."""
    rope = {"rope_type": "default", "rope_theta": 100.0}
    return tiny_model(tmp_path_factory.mktemp("tiny"), hidden_size=128, head_dim=32, intermediate_size=256, rope_parameters=rope)


def run(home, model, **steps):
    outcome = ts.Pipeline(model=f"file://{model}", steps=steps, base=EXAMPLES, home=home).run()
    assert outcome.state == "done", outcome.error and outcome.error.to_json()
    return {name: step.artifact for name, step in outcome.steps.items()}


def quantize(**settings):
    return {"quantize": {"autoawq": {"group_size": 32, "num_calibration_samples": 24, **settings}}, "data": "train.jsonl"}


def divergence(exact, got):
    import torch
    from transformers import AutoModelForCausalLM

    ids = torch.arange(3, 67).reshape(2, 32)
    with torch.no_grad():
        p, q = (AutoModelForCausalLM.from_pretrained(path, dtype="float32")(ids).logits.log_softmax(-1) for path in (exact, got))
    return float((p.exp() * (p - q)).sum(-1).mean())


@pytest.mark.parametrize("settings", [{}, {"apply_clip": False}])
def test_an_old_checkpoint_is_made_and_read_and_computes_nearly_what_the_model_did(tmp_path, tiny, settings):
    made = run(tmp_path, tiny, old=quantize(**settings), plain=PLAIN)
    assert 0 < divergence(tiny, made["plain"].path) < 1e-2
    written, read = (json.loads((made[name].path / "config.json").read_text()) for name in ("old", "plain"))
    assert written["quantization_config"]["quant_method"] == "awq"
    assert written["rope_theta"] == 100.0
    assert (written["torch_dtype"], written["dtype"]) == ("float16", "float16")  # as its tensors are
    assert "quantization_config" not in read


def test_the_same_rows_give_the_same_files_in_another_run(tmp_path, tiny):
    first, second = (run(tmp_path / name, tiny, old=quantize())["old"] for name in ("one", "two"))
    assert first.path != second.path
    assert first.digest == second.digest


@pytest.mark.parametrize("older", [False, True])
def test_a_pipeline_may_start_from_an_old_checkpoint(tmp_path, tiny, older):
    """The plan inserts the unpacking where a plain model is read. The first versions kept the packing beside the config."""
    model = shutil.copytree(run(tmp_path / "made", tiny, old=quantize())["old"].path, tmp_path / "model")
    if older:
        config = json.loads((model / "config.json").read_text())
        packing = config.pop("quantization_config")
        (model / "config.json").write_text(json.dumps(config))
        words = {"q_group_size": packing["group_size"], "w_bit": packing["bits"], "zero_point": True, "version": "GEMM"}
        (model / "quant_config.json").write_text(json.dumps(words))
    made = run(tmp_path / "read", model, again={"export": "safetensors"})
    assert made["model"].format == "model/awq"
    assert made["model.export"].format == "model/hf"
    assert (made["model.export"].path / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()
