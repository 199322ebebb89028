"""How many parameters a model has is told from its configuration alone, and is what the model that transformers builds of it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_models import ModelShape
from tunesmith_models.model_families import FAMILIES

CASES = Path(__file__).parents[1] / "cases" / "estimates"
SIZES = {
    "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 80, "vocab_size": 320,
    "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
GROUPED = {"num_key_value_heads": 2, "head_dim": 16}
OWN = {
    "gpt2": {"n_embd": 48, "n_layer": 3, "n_head": 4, "vocab_size": 320, "n_positions": 64},
    "opt": SIZES | {"ffn_dim": 80, "word_embed_proj_dim": 48},
    **{family: SIZES for family in ("gpt_neox", "phi", "stablelm", "starcoder2", "olmo", "olmoe")},
}  # fmt: skip
LOCAL, COUNTED, ROUTED = {"num_local_experts": 4}, {"num_experts": 4}, {"n_routed_experts": 4, "n_shared_experts": 2}
EXPERTS = {
    **{family: LOCAL for family in ("mixtral", "gpt_oss", "granitemoe", "phimoe")}, "olmoe": COUNTED,
    "qwen2_moe": COUNTED | {"moe_intermediate_size": 24, "shared_expert_intermediate_size": 40},
    "qwen3_moe": COUNTED | {"moe_intermediate_size": 24},
    **{family: ROUTED | {"moe_intermediate_size": 24, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1}
       for family in ("deepseek_v2", "deepseek_v3", "dots1", "glm4_moe")},
}  # fmt: skip
LATENT = {"q_lora_rank": 20, "kv_lora_rank": 12, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 10, "num_key_value_heads": 4}
BIASES = (
    "attention_bias", "mlp_bias", "use_bias", "use_qkv_bias", "qkv_bias", "attention_out_bias", "lm_head_bias", "enable_bias",
    "use_qk_norm",
)  # fmt: skip
#: decoders that are made within a model that sees alone, and the model
SEEING = {"qwen2_vl_text": "qwen2_vl", "qwen2_5_vl_text": "qwen2_5_vl"}
#: (family, what its configuration says beside the sizes)
VARIANTS = [
    *((family, {}) for family in FAMILIES if family not in SEEING),
    *((family, {"tie_word_embeddings": tied}) for family in ("llama", "gemma3_text", "mixtral") for tied in (True, False)),
    *((family, {key: value}) for family in FAMILIES for key in BIASES for value in (True, False)
      if key in FAMILIES[family].biases or key in (FAMILIES[family].head_norms or ())),
    ("deepseek_v3", {"q_lora_rank": None}), ("deepseek_v2", {"q_lora_rank": None, "attention_bias": True}),
    ("qwen3_moe", {"decoder_sparse_step": 2}), ("qwen3_moe", {"mlp_only_layers": [0, 2]}), ("dots1", {"first_k_dense_replace": 3}),
]  # fmt: skip


def configuration(family: str, more: dict) -> dict:
    sizes = OWN.get(family, SIZES | GROUPED) | EXPERTS.get(family, {})
    sizes |= {"num_experts_per_tok": 2} if FAMILIES[family].experts else {}
    return sizes | (LATENT if FAMILIES[family].latent else {}) | more


@pytest.mark.parametrize(("family", "more"), VARIANTS, ids=str)
def test_parameters_are_those_of_the_model_and_matrices_are_named_as_its_modules(family, more):
    torch = pytest.importorskip("torch")
    from transformers import AutoConfig, AutoModelForCausalLM

    said = configuration(family, more)
    config = AutoConfig.for_model(family, **said)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    counted = sum(parameter.numel() for parameter in model.parameters())
    shape = ModelShape.from_config({"model_type": family} | said)  # of a file that leaves out what is usual
    assert shape.parameters == counted
    assert ModelShape.from_config(json.loads(config.to_json_string(use_diff=False))).parameters == counted
    names = {name.removesuffix(".weight").removesuffix(".bias").rpartition(".")[2] for name, _ in model.named_parameters()}
    assert {linear.name for linear in shape.linears} <= names


@pytest.mark.parametrize(("family", "whole"), SEEING.items())
def test_decoders_of_models_that_see_are_counted_as_they_are(family, whole):
    torch = pytest.importorskip("torch")
    from transformers import AutoConfig, AutoModelForMultimodalLM

    sizes = {name: value for name, value in configuration(family, {}).items() if name != "head_dim"}  # which they do not know
    config = AutoConfig.for_model(whole, text_config=sizes)
    with torch.device("meta"):
        model = AutoModelForMultimodalLM.from_config(config)
    decoder = [*model.get_decoder().parameters(), *model.get_output_embeddings().parameters()]
    shape = ModelShape.from_config(json.loads(config.to_json_string(use_diff=False)))
    assert shape.parameters == sum(parameter.numel() for parameter in decoder)


PUBLISHED = json.loads((CASES / "published.json").read_text())  # in 10^9, with as many digits as the source tells


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_models_size_is_the_one_it_is_known_for(name):
    shape, told = ModelShape.from_config(json.loads((CASES / f"{name}.json").read_text())), PUBLISHED[name]
    counted = {
        "parameters": shape.parameters, "active": shape.active, "outside_embedding": shape.parameters - shape.embedding,
        "active_outside_input": shape.active - shape.vocabulary * shape.hidden,
    }  # fmt: skip
    assert told["source"]
    for what, published in told.items():
        if what != "source":
            last = 10.0 ** -len(str(published).partition(".")[2])
            assert counted[what] / 1e9 == pytest.approx(published, rel=4e-3, abs=last), what


def test_a_token_passes_through_its_experts_and_the_shared_ones():
    shape = ModelShape.from_config({"model_type": "deepseek_v3"} | configuration("deepseek_v3", {}))
    assert shape.intermediate == max(80, 2 * 24 + 2 * 24)
    assert shape.kv_bytes(10, 2.0) == 10 * 3 * 4 * (12 + 10) * 2
    assert shape.kv_bytes(10, 2.0, latent=True) == 10 * 3 * (12 + 4) * 2
    assert {linear.name for linear in shape.modules if linear.expert} == set()


@pytest.mark.parametrize(
    "more",
    [
        {"model_type": "nobody-knows"}, {"model_type": "t5"}, {"model_type": "llama", "is_encoder_decoder": True},
        {"model_type": "qwen3", "layer_types": ["full_attention", "linear_attention"]}, {"model_type": "phi", "qk_layernorm": True},
        {"model_type": "mixtral"}, {"model_type": "llama", "hidden_size": "many"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed_at(more):
    assert ModelShape.from_config(SIZES | more) is None


def test_a_family_that_is_not_known_is_a_plain_decoder_where_its_files_are_as_large_as_one():
    config = SIZES | {"model_type": "nobody-knows", "dtype": "bfloat16"}
    plain = ModelShape.from_config(SIZES)
    assert ModelShape.from_config(config, 2 * plain.parameters) == plain
    assert ModelShape.from_config(config, 3 * plain.parameters) is None


def test_what_sees_is_counted_where_the_files_say_how_large_it_is():
    text = SIZES | GROUPED | {"model_type": "gemma3_text"}
    config = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 8}, "dtype": "float32"}
    plain = ModelShape.from_config(text)
    assert ModelShape.from_config(config).parameters == plain.parameters
    assert ModelShape.from_config(config, 4 * (plain.parameters + 1000)).parameters == plain.parameters + 1000
