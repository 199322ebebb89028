"""Types of few bits: which matrix gets which, and what that takes. The file itself is written in the plugin's environment."""

from __future__ import annotations

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_gguf.estimate import estimate_quantized
from tunesmith_gguf.mixtures import BITS, names, type_of
from tunesmith_gguf.settings import GgufQuantizerSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2

LAYERS = 8


@pytest.mark.parametrize(
    ("mixture", "tensor", "columns", "expected"),
    [
        ("q4_k_m", "blk.0.attn_v.weight", 512, "Q6_K"), ("q4_k_m", "blk.1.attn_v.weight", 512, "Q4_K"),
        ("q4_k_m", "blk.3.ffn_down.weight", 512, "Q6_K"), ("q4_k_m", "blk.7.ffn_down.weight", 512, "Q6_K"),
        ("q4_k_m", "blk.0.attn_q.weight", 512, "Q4_K"), ("q4_k_m", "blk.0.attn_q.weight", 576, "Q5_0"),
        ("q6_k", "blk.0.attn_q.weight", 576, "Q8_0"), ("q4_k_s", "blk.0.ffn_down.weight", 512, "Q5_K"),
        ("q3_k_m", "blk.1.attn_v.weight", 512, "Q5_K"), ("q3_k_m", "blk.2.attn_v.weight", 512, "Q4_K"),
        ("q4_0", "blk.0.attn_v.weight", 512, "Q4_0"), ("q4_0", "output.weight", 512, "Q6_K"), ("q4_0", "output.weight", 576, "Q8_0"),
        ("q8_0", "output.weight", 512, "Q8_0"), ("q4_k_m", "token_embd.weight", 512, "Q4_K"), ("q4_k_m", "blk.0.attn_q.weight", 40, "F16"),
    ],
)  # fmt: skip
def test_a_matrix_has_the_type_of_llama_cpps_mixture(mixture, tensor, columns, expected):
    assert type_of(mixture, tensor, columns, LAYERS, tied=False) == expected


def test_an_embedding_that_is_the_head_too_has_the_heads_type():
    assert type_of("q4_k_m", "token_embd.weight", 512, LAYERS, tied=True) == "Q6_K"


def test_every_type_of_a_mixture_has_its_bits():
    assert {type_of(name, "blk.0.ffn_down.weight", columns, LAYERS, tied=False) for name in names() for columns in (512, 576)} <= set(BITS)


@pytest.mark.parametrize("mixture", names())
def test_fewer_bits_are_fewer_bytes_and_rows_take_the_models_memory(mixture):
    settings = fill(schema_of(GgufQuantizerSettings), {"quant_type": mixture})
    plain = estimate_quantized(EstimateRequest(SMOLLM2, 269_060_552, settings))
    weighed = estimate_quantized(EstimateRequest(SMOLLM2, 269_060_552, settings, inputs=("data",)))
    assert 75e6 < plain.disk < 150e6
    assert weighed.memory > plain.memory + 4e8
    assert weighed.disk == plain.disk
