"""The oracle is transformers: the model that it quantizes in memory, before anything was written."""

import hashlib
import json
import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from tunesmith.contracts import Artifact, UserError
from tunesmith.contracts.estimates import EstimateRequest
from tunesmith.contracts.settings import build, fill, schema_of
from tunesmith_bitsandbytes.estimate import estimate
from tunesmith_bitsandbytes.quantizer import BitsAndBytes
from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
from tunesmith_data.api import message
from tunesmith_models import ModelShape
from tunesmith_models.weight_check import load_whole
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_sdk.testing.real_models import smollm2

IDS = torch.arange(3, 40)[None]


def quantize(source, step, **settings):
    result = BitsAndBytes(build(BitsAndBytesSettings, settings)).quantize(source, step.output, None, step)
    return Artifact("model/bnb", step.output), result


def digests(artifact):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(artifact.path.iterdir())}


@pytest.fixture(scope="session")
def source(tiny_model):
    return Artifact("model/hf", tiny_model(hidden_size=128, head_dim=32, intermediate_size=256))


@pytest.mark.parametrize(
    ("type", "dtype"), [("nf4", "bfloat16"), ("nf4", "float32"), ("fp4", "bfloat16"), ("fp4", "float32"), ("int8", "bfloat16")]
)
@torch.no_grad()
def test_the_reloaded_model_computes_as_the_one_in_memory(source, local_step, type, dtype):
    small, _ = quantize(source, local_step(), quant_type=type, dtype=dtype)
    config = BitsAndBytesConfig(
        load_in_4bit=type != "int8", load_in_8bit=type == "int8", bnb_4bit_quant_type=type if type != "int8" else "nf4",
        bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype,
    )  # fmt: skip
    memory = AutoModelForCausalLM.from_pretrained(
        source.path, quantization_config=config, dtype=getattr(torch, dtype), device_map={"": "cpu"}
    )
    reloaded = AutoModelForCausalLM.from_pretrained(small.path, dtype=getattr(torch, dtype), device_map={"": "cpu"})
    assert torch.equal(reloaded(IDS).logits, memory(IDS).logits)
    plain = AutoModelForCausalLM.from_pretrained(source.path)(IDS).logits
    assert 0 < (reloaded(IDS).logits.float() - plain).abs().max() < plain.abs().max()


def test_the_same_model_and_settings_give_the_same_files(source, local_step):
    assert digests(quantize(source, local_step())[0]) == digests(quantize(source, local_step())[0])


def test_another_process_gives_the_same_files(source, local_step, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tunesmith.contracts import Artifact\n"
        "from tunesmith_sdk.local_step import LocalStep; from tunesmith_bitsandbytes.quantizer import BitsAndBytes\n"
        "from tunesmith_bitsandbytes.settings import BitsAndBytesSettings\n"
        "step = LocalStep.make(Path(sys.argv[2]))\n"
        "BitsAndBytes(BitsAndBytesSettings()).quantize(Artifact('model/hf', Path(sys.argv[1])), step.output, None, step)\n"
    )
    subprocess.run([sys.executable, "-c", code, source.path, tmp_path], check=True)
    assert digests(Artifact("model/bnb", tmp_path / "output")) == digests(quantize(source, local_step())[0])


def test_the_layers_shrink_and_the_head_stays(source, local_step):
    small, result = quantize(source, local_step())
    assert result.meta == {"layers": 14}
    assert result.metrics["ratio"] < 0.4  # a tiny model is mostly embedding and head, kept in bfloat16
    loaded = AutoModelForCausalLM.from_pretrained(small.path)
    assert type(loaded.lm_head) is torch.nn.Linear
    assert loaded.lm_head.weight.dtype == torch.bfloat16


def test_modules_can_be_left_out(source, local_step):
    _, result = quantize(source, local_step(), llm_int8_skip_modules=["down_proj"])
    assert result.meta == {"layers": 12}
    with pytest.raises(UserError, match="TS-MODEL-021"):
        quantize(source, local_step(), llm_int8_skip_modules=["proj"])


def test_the_tokenizer_comes_along(source, local_step):
    small, _ = quantize(source, local_step())
    text = [{"role": "user", "content": "café"}]
    assert AutoTokenizer.from_pretrained(small.path).apply_chat_template(text) == AutoTokenizer.from_pretrained(
        source.path
    ).apply_chat_template(text)


def test_what_is_no_model_is_told(tmp_path, local_step):
    with pytest.raises(UserError, match="TS-MODEL-020"):
        quantize(Artifact("model/hf", tmp_path), local_step())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bnb_4bit_use_double_quant": False},
        {"quant_type": "int8"},
        {"dtype": "float32", "llm_int8_skip_modules": ["down_proj", "up_proj"]},
    ],
)
def test_the_size_is_estimated(source, local_step, settings):
    _, result = quantize(source, local_step(), **settings)
    shape = ModelShape.from_config(json.loads((source.path / "config.json").read_text()))
    found = estimate(EstimateRequest(shape.config, 10**6, fill(schema_of(BitsAndBytesSettings), settings)))
    assert found.disk == pytest.approx(result.metrics["bytes"], rel=0.1)


MIXTRAL = {
    "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "vocab_size": 320, "tie_word_embeddings": False,
}  # fmt: skip


def test_experts_that_would_stay_as_they_are_are_refused_by_the_plan_unless_that_is_said():
    def asked(**settings):
        return EstimateRequest(MIXTRAL, 10**6, fill(schema_of(BitsAndBytesSettings), settings))

    with pytest.raises(UserError, match="TS-QUANT-007") as caught:
        estimate(asked())
    assert "compressed-tensors" in caught.value.fix
    assert estimate(asked(llm_int8_skip_modules=["experts"])).disk


def test_experts_are_refused_before_a_model_is_loaded(tmp_path, local_step):
    (tmp_path / "config.json").write_text(json.dumps(MIXTRAL))
    with pytest.raises(UserError, match="TS-QUANT-007"):
        quantize(Artifact("model/hf", tmp_path), local_step())


@pytest.mark.slow
def test_a_real_model_keeps_its_wits(tmp_path, local_step):
    """Perplexity on plain English within 1.35 times that of the source, in a quarter of its size."""
    from tunesmith_perplexity.evaluator import Perplexity
    from tunesmith_perplexity.settings import PerplexitySettings

    talk = [
        ("Why is the sky blue?", "The sky looks blue because air scatters short wavelengths of sunlight more strongly than long ones."),
        ("What is a prime number?", "A prime number is a whole number greater than one that has no divisors other than one and itself."),
        (
            "How do plants make food?",
            "Plants make food by photosynthesis: they turn carbon dioxide and water into sugar with the light of the sun.",
        ),
        ("Who wrote Hamlet?", "Hamlet was written by William Shakespeare around the year 1600."),
    ]
    rows = [{"messages": [message("user", question), message("assistant", answer)]} for question, answer in talk]
    data, source = dataset(tmp_path / "rows", rows), smollm2(tmp_path)
    small, result = quantize(source, local_step())
    before, after = (Perplexity(PerplexitySettings()).evaluate(model, data, local_step()).metrics for model in (source, small))
    assert after["perplexity"] < 1.35 * before["perplexity"]
    assert result.metrics["ratio"] < 0.25


STATE_SPACE = {
    "architectures": ["MambaForCausalLM"], "model_type": "mamba", "vocab_size": 320, "hidden_size": 64, "num_hidden_layers": 2,
    "state_size": 8,
    "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip


def test_a_state_space_whose_code_reads_a_matrix_itself_is_refused_at_plan_time_until_that_one_is_left_out():
    settings = fill(schema_of(BitsAndBytesSettings), {})
    request = EstimateRequest(STATE_SPACE, 10**6, settings)
    with pytest.raises(UserError, match="TS-QUANT-010"):
        estimate(request)
    assert estimate(EstimateRequest(STATE_SPACE, 10**6, {**settings, "llm_int8_skip_modules": ["dt_proj"]}))


@torch.no_grad()
def test_a_state_space_without_that_matrix_computes_on_every_processor(tmp_path, local_step, monkeypatch):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**STATE_SPACE))
    model.save_pretrained(tmp_path / "model")
    small, result = quantize(Artifact("model/hf", tmp_path / "model"), local_step(), llm_int8_skip_modules=["dt_proj"], dtype="float32")
    assert result.meta["layers"] == 2 * 3
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: True)
    reloaded = load_whole(AutoModelForCausalLM.from_pretrained, small.path, device_map={"": "cpu"})
    layers = {name.rpartition(".")[2]: getattr(layer, "support_avx512bf16_for_cpu", None) for name, layer in reloaded.named_modules()}
    assert {name: found for name, found in layers.items() if found is not None} == {"in_proj": True, "x_proj": False, "out_proj": True}
