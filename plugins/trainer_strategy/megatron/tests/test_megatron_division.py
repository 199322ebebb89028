"""What can't be divided, or is not converted, is refused with its reason, before anything is computed."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_megatron.architecture import FAMILIES, architecture_of
from tunesmith_megatron.estimate import shares
from tunesmith_megatron.settings import MegatronSettings

CONFIG = MappingProxyType({
    "model_type": "qwen3", "vocab_size": 1024, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 6,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 16, "max_position_embeddings": 128,
})  # fmt: skip
MOE = {"model_type": "qwen3_moe", "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32}


def planned(config=CONFIG, **settings):
    """What the plan is told of a model."""
    return shares(EstimateRequest(config=dict(config), settings=asdict(MegatronSettings(**{"num_processes": 8} | settings)), device="cuda"))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_converted_is_taken(family):
    config = {**CONFIG, **MOE, "model_type": family}
    assert planned(config, tensor_model_parallel_size=2, sequence_parallel=True)["parameters"] > 0


@pytest.mark.parametrize(
    ("change", "why"),
    [({"model_type": "gemma2"}, "gemma2"), ({"attention_bias": True}, "attention_bias"), ({"use_sliding_window": True}, "sliding"),
     ({"hidden_act": "gelu"}, "gelu"), ({"rope_parameters": {"rope_type": "yarn"}}, "yarn"), ({"attention_dropout": 0.1}, "dropout"),
     ({"rope_scaling": {"type": "dynamic"}}, "dynamic"), ({"quantization_config": {"bits": 4}}, "quantized")],
    ids=lambda value: value if isinstance(value, str) else "-",
)  # fmt: skip
def test_what_is_not_converted_is_refused_by_name(change, why):
    with pytest.raises(UserError, match="TS-TRAIN-080") as told:
        planned({**CONFIG, **change})
    assert why in str(told.value.why)


@pytest.mark.parametrize(
    ("config", "settings", "name"),
    [({}, {"tensor_model_parallel_size": 8}, "4 key and value heads"),
     ({"num_attention_heads": 9, "num_key_value_heads": 9}, {"tensor_model_parallel_size": 2}, "9 attention heads"),
     ({"vocab_size": 1025}, {"tensor_model_parallel_size": 2}, "1,025 tokens in its vocabulary"),
     ({"intermediate_size": 99}, {"tensor_model_parallel_size": 2}, "99 as the inner width"),
     ({}, {"pipeline_model_parallel_size": 4}, "6 layers"),
     (MOE, {"expert_model_parallel_size": 4}, "6 experts"),
     ({}, {"expert_model_parallel_size": 2}, "has none"),
     ({}, {"expert_tensor_parallel_size": 2}, "has none"),
     (MOE | {"moe_intermediate_size": 33}, {"expert_tensor_parallel_size": 2}, "33 as the inner width of an expert"),
     (MOE, {"tensor_model_parallel_size": 2}, "sequence_parallel"),
     ({}, {"sequence_parallel": True}, "each layer has one")],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "-",
)  # fmt: skip
def test_what_does_not_divide_is_refused_with_its_number(config, settings, name):
    with pytest.raises(UserError, match="TS-TRAIN-081") as told:
        planned({**CONFIG, **config}, **settings)
    assert name in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [{"num_processes": 6, "tensor_model_parallel_size": 4},
     {"num_processes": 6, "tensor_model_parallel_size": 2, "context_parallel_size": 2},
     {"num_processes": 4, "tensor_model_parallel_size": 4, "expert_model_parallel_size": 2},
     {"num_processes": 4, "expert_tensor_parallel_size": 4, "expert_model_parallel_size": 2}],
    ids=["layers", "tokens", "experts", "an-expert"],
)  # fmt: skip
def test_processes_that_do_not_divide_are_refused(settings):
    with pytest.raises(UserError, match="TS-TRAIN-082"):
        planned(**settings)


def test_whole_experts_are_divided_among_the_processes_of_a_layer():
    sizes = {"num_processes": 4, "tensor_model_parallel_size": 4, "sequence_parallel": True}
    apart, together = (
        planned({**CONFIG, **MOE, "num_experts": 8}, expert_tensor_parallel_size=each, expert_model_parallel_size=4 // each, **sizes)
        for each in (1, 4)
    )
    assert apart["parameters"] == together["parameters"]


def test_a_model_of_one_description_has_one_set_of_sizes():
    moe = architecture_of({**CONFIG, **MOE, "mlp_only_layers": [1], "decoder_sparse_step": 2, "norm_topk_prob": True})
    assert moe.expert_layers == (False, False, False, True, False, True)
    assert architecture_of({**CONFIG, **MOE, "num_experts": None, "num_local_experts": 6}).experts == 6
    assert (architecture_of({**CONFIG, "model_type": "qwen2"}).qkv_bias, architecture_of(CONFIG).qk_norm) == (True, True)
