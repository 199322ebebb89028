"""A checkpoint that is not whole is refused alike by all that read one: nothing is trained, packed or measured with random numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact, UserError
from tunesmith_sdk.tiny_models import tiny_model

Weights = dict[str, torch.Tensor]


def train(model: Path, step: Any) -> None:
    """What a training step does of a model that it may compute by itself (Llama), and of one that it may not (the experts')."""
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings
    from tunesmith_sft.objective import SupervisedTuning
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training.trainable_model import prepare

    prepare(Artifact("model/hf", model), Lora(LoraSettings()), SupervisedTuning(), TrainSettings(), torch.device("cpu"), step)


def evaluate(model: Path, step: Any) -> None:
    from tunesmith_torch.api.model import load_model

    load_model(model)


def few_bits(model: Path, step: Any) -> None:
    from tunesmith_qlora.quantized_base import load

    load(model, torch.device("cpu"), type="nf4", double_quant=True)


def quantize(model: Path, step: Any) -> None:
    from tunesmith_bitsandbytes.quantizer import BitsAndBytes
    from tunesmith_bitsandbytes.settings import BitsAndBytesSettings

    BitsAndBytes(BitsAndBytesSettings()).quantize(Artifact("model/hf", model), step.output, None, step)


def export(model: Path, step: Any) -> None:
    from tunesmith_gguf.exporter import GgufExporter
    from tunesmith_gguf.settings import GgufSettings

    GgufExporter(GgufSettings()).export(Artifact("model/hf", model), step.output, step)


def serve(model: Path, step: Any) -> None:
    from tunesmith_transformers.model.loader import load

    load(model, "auto", step.placement)


def without(name: str) -> Callable[[Weights], object]:
    return lambda weights: weights.pop(name)


def cut(name: str) -> Callable[[Weights], object]:
    return lambda weights: weights.update({name: weights[name][:1].clone()})


EMBEDDING, EXPERT = "model.embed_tokens.weight", "model.layers.1.mlp.experts.3.gate_proj.weight"
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
#: family, its configuration, what is done to its weights, and how the refusal names it
DAMAGES = {
    "nothing to embed with": ("llama", {}, without(EMBEDDING), f"Missing: {EMBEDDING}."),
    "neither of two that are shared": (
        "llama", {"tie_word_embeddings": True}, without(EMBEDDING), f"Missing: lm_head.weight, {EMBEDDING}.",
    ),
    "more than there is place for": (
        "llama", {}, lambda weights: weights.update({"score.weight": torch.zeros(2, 64)}), "Unexpected: score.weight.",
    ),
    "another shape": ("llama", {}, cut("model.layers.0.mlp.up_proj.weight"), "Of another shape: model.layers.0.mlp.up_proj.weight"),
    "one expert's matrix too few": ("qwen3_moe", EXPERTS, without(EXPERT), f"Missing: {EXPERT}."),
    "an expert of another shape": ("qwen3_moe", EXPERTS, cut(EXPERT), f"Of another shape: {EXPERT}."),
}  # fmt: skip


READERS = [train, evaluate, few_bits, quantize, export, serve]
#: who refuses a model with experts before it reads one: bitsandbytes, which keeps these as they are (TS-QUANT-007)
REFUSES_EXPERTS = quantize


@pytest.mark.parametrize(
    ("read", "damage"), [(read, name) for read in READERS for name in DAMAGES if read is not REFUSES_EXPERTS or "expert" not in name]
)
def test_tensors_that_do_not_fit_the_architecture_are_named(tmp_path, local_step, read, damage) -> None:
    family, sizes, damaging, why = DAMAGES[damage]
    model = tiny_model(tmp_path / "model", family=family, **sizes)
    weights = load_file(model / "model.safetensors")
    damaging(weights)
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="TS-MODEL-022") as refused:
        read(model, local_step())
    assert why in refused.value.why


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_cut_off_or_away_is_named(tmp_path, local_step, read) -> None:
    model = tiny_model(tmp_path / "model")
    file = model / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(UserError, match=r"TS-MODEL-008: .*model\.safetensors"):
        read(model, local_step())
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    file.unlink()
    (model / first).write_bytes(whole)
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {EMBEDDING: first, "lm_head.weight": second}}))
    with pytest.raises(UserError, match=f"TS-MODEL-008: .*{second}"):
        read(model, local_step())


@pytest.mark.parametrize("left_out", ["lm_head.weight", EMBEDDING])
def test_one_of_two_matrices_that_are_shared_is_enough(tmp_path, local_step, left_out) -> None:
    from tunesmith_torch.api.model import load_model

    model = tiny_model(tmp_path / "model", tie_word_embeddings=True)
    tokens = torch.arange(8)[None]
    wanted = load_model(model)(tokens).logits
    weights = load_file(model / "model.safetensors")
    shared = weights.pop(EMBEDDING)
    save_file(weights | {"lm_head.weight" if left_out == EMBEDDING else EMBEDDING: shared}, model / "model.safetensors", {"format": "pt"})
    assert torch.equal(load_model(model)(tokens).logits, wanted)
    train(model, local_step())


def test_a_head_apart_from_the_embedding_is_computed_with_though_they_are_said_to_be_shared(tmp_path) -> None:
    from tunesmith_torch.api.model import load_model
    from tunesmith_torch.model.dense.config import NotDense
    from tunesmith_torch.model.dense.loader import load_dense

    model = tiny_model(tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
    assert torch.equal(load_model(model).lm_head.weight, load_file(model / "model.safetensors")["lm_head.weight"])
    with pytest.raises(NotDense, match="has another"):
        load_dense(model)


def test_tables_that_old_checkpoints_hold_and_the_library_makes_itself_do_not_count(tmp_path, local_step) -> None:
    model = tiny_model(tmp_path / "model")
    weights = load_file(model / "model.safetensors") | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    for read in (train, evaluate, serve):
        read(model, local_step())
