"""The real converter in its environment. What it wrote is read by the official `gguf` package and by transformers, here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_gguf.exporter import GgufExporter
from tunesmith_gguf.settings import GgufSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of
from tunesmith_sdk.testing.real_models import smollm2

pytestmark = pytest.mark.isolated
TEXTS = [
    "What is the capital of France?", "naïve café, 你好 🙂  two  spaces\n\ttab", "مرحبا Здравствуйте ｆｕｌｌ",
    "<|im_start|>user\nhi<|im_end|>", "x = 12345 + 0.678;", "a\u0301\u200d\u2060", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(environment_of("tunesmith_gguf", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return smollm2(tmp_path_factory.mktemp("smollm2"), "bfloat16").path


@pytest.fixture(scope="module")
def convert(python: str, tmp_path_factory: pytest.TempPathFactory):
    """``convert(model, outtype="bf16")``: the directory that the exporter wrote."""

    def run(model: Path, **settings: str) -> Path:
        step = LocalStep.make(tmp_path_factory.mktemp("gguf"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", python)
            GgufExporter(GgufSettings(**settings)).export(Artifact("model/hf", model), step.output, step)
        return step.output

    return run


@pytest.fixture(scope="module")
def small(original: Path, tiny_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a tokenizer that llama.cpp knows."""
    folder = tmp_path_factory.mktemp("small") / "model"
    shutil.copytree(tiny_model("llama", vocab_size=49152, tie_word_embeddings=True), folder)
    for path in original.glob("tokenizer*"):
        shutil.copyfile(path, folder / path.name)
    return folder


def tensors(file: Path) -> dict:
    import gguf

    return {tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(file).tensors}


def originals(folder: Path) -> dict:
    """The checkpoint's matrices in float32 by their GGUF names, rows of q and k in llama.cpp's order."""
    import gguf
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    found = {}
    for name, weights in load_file(folder / "model.safetensors").items():
        if "q_proj" in name or "k_proj" in name:
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            weights = weights.reshape(heads, 2, -1, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)
        found[names.get_name(name, try_suffixes=(".weight",))] = weights.to(torch.float32).numpy()
    return found


def test_the_model_that_llama_cpp_gets_is_the_same_model(original: Path, convert):
    import numpy
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedTokenizerFast

    made = convert(original)
    expected, got = originals(original), tensors(made / "model.gguf")
    assert expected.keys() == got.keys()
    for name, weights in expected.items():
        numpy.testing.assert_array_equal(got[name], weights, err_msg=name)
    ids = torch.arange(1000, 1064)[None]
    reference = AutoModelForCausalLM.from_pretrained(original, dtype=torch.float32)
    loaded = AutoModelForCausalLM.from_pretrained(
        made, gguf_file="model.gguf", quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, reference(ids).logits, rtol=0, atol=1e-4)
    first, inside = AutoTokenizer.from_pretrained(original), PreTrainedTokenizerFast.from_pretrained(made, gguf_file="model.gguf")
    beside = AutoTokenizer.from_pretrained(made)
    for text in TEXTS:
        assert beside(text).input_ids == first(text).input_ids
        assert inside(text).input_ids == first(text).input_ids, text
    chat = [{"role": "user", "content": "你好"}]
    assert beside.apply_chat_template(chat, tokenize=False) == first.apply_chat_template(chat, tokenize=False)


@pytest.mark.parametrize(("type", "share"), [("f32", 0.0), ("f16", 2**-11), ("q8_0", 0.51 / 127)])
def test_matrices_are_within_what_their_type_can_hold(small: Path, convert, type: str, share: float):
    """`share`: of the largest weight of a block of 32, which has the scale."""
    import numpy

    expected, got = originals(small), tensors(convert(small, outtype=type) / "model.gguf")
    for name, weights in expected.items():
        blocks = numpy.abs(weights).reshape(-1, 32).max(-1, keepdims=True)
        off = numpy.abs(got[name] - weights).reshape(-1, 32)
        limit = 2.0**-11 if type == "q8_0" and weights.ndim > 1 else 0.0  # of q8_0 the scale itself is a float16
        assert (off <= blocks * (share if weights.ndim > 1 else 0.0) + blocks * limit + 1e-8).all(), name


def test_the_same_model_gives_the_same_bytes_wherever_it_lies(small: Path, convert, tmp_path: Path):
    elsewhere = tmp_path / "9f2c1e-another-7b-place"
    shutil.copytree(small, elsewhere)
    one, other = (convert(model, outtype="q8_0") for model in (small, elsewhere))
    assert (one / "model.gguf").read_bytes() == (other / "model.gguf").read_bytes()


def test_a_tokenizer_that_llama_cpp_does_not_know_is_told(tiny_model, convert):
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as caught:
        convert(tiny_model("llama"))
    assert "pre-tokenizer" in caught.value.why
