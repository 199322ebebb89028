"""`quantize: auto` for a use: what is taken by the size of the model and whether there are rows, and why not the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tunesmith_cli.main import main
from tunesmith_sdk.testing.model_configs import SMOLLM2
from tunesmith_sdk.tiny_models import tiny_model

ROWS = Path(__file__).parents[2] / "examples" / "quickstart" / "train.jsonl"
LARGE = {**SMOLLM2, "hidden_size": 2048, "intermediate_size": 5632, "num_attention_heads": 32, "num_key_value_heads": 8}
MIXTRAL = {
    "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "vocab_size": 320,
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    tiny_model(folder / "model")
    for name, config in (("large", LARGE), ("experts", MIXTRAL)):
        shutil.copytree(folder / "model", folder / name)
        (folder / name / "config.json").write_text(json.dumps(config))
    shutil.copyfile(ROWS, folder / "train.jsonl")
    return folder


@pytest.fixture
def planned(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The step that quantizes, of the plan."""
    monkeypatch.chdir(project)

    def plan(use: str, *, model: str = "model", rows: bool = True, quantizer: str = "auto"):
        data = ", data: train.jsonl" if rows else ""
        settings = f", settings: {{use: {use}}}" if use else ""
        Path("tunesmith.yaml").write_text(f"model: file://{model}\nsteps:\n  small: {{quantize: {quantizer}{data}{settings}}}\n")
        capsys.readouterr()
        assert main(["plan", "--json", "--ignore-estimates"]) == 0
        (step,) = [step for step in json.loads(capsys.readouterr().out)["steps"] if "quantizer" in step["providers"]]
        return step

    return plan


@pytest.mark.parametrize(
    ("use", "model", "rows", "expected", "settings", "format"),
    [
        ("batch", "model", True, "gptq", {"bits": 8}, "model/gptq"), ("batch", "large", True, "gptq", {"bits": 4}, "model/gptq"),
        ("online", "large", True, "awq", {"bits": 4}, "model/compressed-tensors"),
        ("online", "model", False, "gguf", {"quant_type": "q8_0"}, "model/gguf"),
        ("batch", "model", False, "bitsandbytes", {"quant_type": "int8"}, "model/bnb"),
        ("batch", "experts", True, "compressed-tensors", {"scheme": "W8A8"}, "model/compressed-tensors"),
        ("edge", "model", False, "gguf", {"quant_type": "q8_0"}, "model/gguf"),
        ("edge", "large", False, "gguf", {"quant_type": "q4_k_m"}, "model/gguf"),
        ("training", "model", True, "bitsandbytes", {"quant_type": "nf4"}, "model/bnb"),
    ],
)  # fmt: skip
def test_a_use_chooses_the_quantizer_its_settings_and_the_format(planned, use, model, rows, expected, settings, format):
    step = planned(use, model=model, rows=rows)
    taken = step["providers"]["quantizer"]
    assert (taken["name"], step["format"]) == (expected, format)
    assert {name: taken["settings"][name] for name in settings} == settings
    reasons = {one["provider"]: one["verdict"] for one in step["alternatives"]}
    assert {"gptq", "awq", "compressed-tensors", "auto-round", "bitsandbytes", "gguf"} <= set(reasons)
    assert all(reasons.values())
    if not rows:
        assert "the step has none" in reasons["gptq"]
    if model == "experts":
        assert "experts" in reasons["gptq"]


def test_without_a_use_nothing_is_compared_and_a_named_quantizer_is_left_alone(planned):
    assert planned("")["alternatives"] == []
    named = planned("edge", quantizer="gptq")
    assert (named["providers"]["quantizer"]["name"], named["alternatives"]) == ("gptq", [])
