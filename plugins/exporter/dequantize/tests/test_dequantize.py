"""GGUF -> Hugging Face checkpoint: the same model, readable by everybody, the same bytes every time."""

import json
import re

import pytest

from tunesmith.contracts import EstimateRequest, TunesmithError
from tunesmith_dequantize.estimate import estimate
from tunesmith_sdk.testing.model_configs import SMOLLM2

torch = pytest.importorskip("torch", reason="the runtime of this plugin is not installed")
gguf = pytest.importorskip("gguf", reason="the runtime of this plugin is not installed")

TEXTS = ["What is the capital of France? Paris.", "naïve café 你好 🙂  two  spaces\n", "x = 12345 + 678", "<|im_start|>user\nhi<|im_end|>"]


def logits(folder, **options):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options).eval()
    with torch.no_grad():
        return model(torch.arange(3, 67).reshape(2, 32)).logits


def test_an_unquantized_gguf_comes_back_with_the_very_same_logits(gguf_model, dequantize):
    original, folder = gguf_model("F32")
    torch.testing.assert_close(logits(dequantize(folder, "float32")), logits(original), rtol=0, atol=0)


@pytest.mark.parametrize(("quantization", "kl"), [("Q8_0", 1e-5), ("Q4_1", 1e-2)])
def test_a_quantized_gguf_comes_back_as_near_as_its_bits_allow(gguf_model, dequantize, quantization, kl):
    original, folder = gguf_model(quantization)
    exact, got = logits(original).log_softmax(-1), logits(dequantize(folder)).log_softmax(-1)
    assert (exact.exp() * (exact - got)).sum(-1).mean() < kl


def test_the_tokenizer_and_chat_template_are_the_originals(gguf_model, dequantize):
    from transformers import AutoTokenizer

    original, folder = gguf_model()
    expected, got = AutoTokenizer.from_pretrained(original), AutoTokenizer.from_pretrained(dequantize(folder))
    chat = [{"role": "user", "content": "hi"}]
    for text in TEXTS:
        assert got(text).input_ids == expected(text).input_ids
        assert got.decode(got(text).input_ids) == text
    assert got.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == expected.apply_chat_template(
        chat, tokenize=False, add_generation_prompt=True
    )
    assert (got.bos_token, got.eos_token, got.pad_token) == (expected.bos_token, expected.eos_token, expected.pad_token)


def test_readers_older_than_transformers_5_find_what_they_look_for(gguf_model, dequantize):
    output = dequantize(gguf_model()[1], "float16")
    config, tokenizer = (json.loads((output / name).read_text()) for name in ("config.json", "tokenizer_config.json"))
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"]
    assert config["torch_dtype"] == config["dtype"] == "float16"
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert tokenizer["chat_template"] == (output / "chat_template.jinja").read_text()
    assert tokenizer["model_max_length"] == config["max_position_embeddings"]
    assert "quantization_config" not in config


def test_every_run_writes_the_same_bytes_and_no_path_of_this_machine(gguf_model, dequantize):
    folder = gguf_model("Q8_0")[1]
    first, second = dequantize(folder), dequantize(folder)
    names = sorted(p.name for p in first.iterdir())
    assert names == sorted(p.name for p in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
        if name.endswith(".json"):
            assert not re.search(r"_name_or_path|is_local", (first / name).read_text())
            assert str(folder) not in (first / name).read_text()


def test_an_architecture_that_the_library_does_not_know_is_a_coded_error(gguf_model, dequantize):
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as caught:
        dequantize(gguf_model(architecture="abacus")[1])
    assert "abacus" in caught.value.why


def test_a_file_without_one_of_the_tensors_is_refused_and_names_it(gguf_model, dequantize):
    with pytest.raises(TunesmithError, match="TS-MODEL-022") as caught:
        dequantize(gguf_model(without="token_embd.weight")[1])
    assert caught.value.why == "Missing: model.embed_tokens.weight."


def test_a_split_model_is_a_coded_error(dequantize, tmp_path):
    for part in (1, 2):
        (tmp_path / f"big-{part:05}-of-00002.gguf").write_bytes(b"GGUF")
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as caught:
        dequantize(tmp_path)
    assert "llama-gguf-split" in caught.value.fix


def test_the_estimate_follows_the_precision_and_does_without_sizes():
    half = estimate(EstimateRequest(SMOLLM2, 98_362_432, {"dtype": "bfloat16"}))
    full = estimate(EstimateRequest(SMOLLM2, 98_362_432, {"dtype": "float32"}))
    assert half.disk == pytest.approx(269_060_552, rel=0.01)
    assert full.memory - half.memory == pytest.approx(half.disk)
    assert estimate(EstimateRequest({}, 98_362_432, {"dtype": "bfloat16"})).notes
