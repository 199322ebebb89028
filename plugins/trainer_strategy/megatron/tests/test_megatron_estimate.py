"""What the plan is told of a rank's share, of what it sends, and of what serves a machine."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tunesmith.contracts import Device, EstimateRequest
from tunesmith_megatron.estimate import shares, variants
from tunesmith_megatron.settings import MegatronSettings

LLAMA = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
    "num_attention_heads": 64, "num_key_value_heads": 8, "max_position_embeddings": 8192, "tie_word_embeddings": False,
}  # fmt: skip
MOE = {
    "model_type": "qwen3_moe", "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 48,
    "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "max_position_embeddings": 40960, "num_experts": 128,
    "num_experts_per_tok": 8, "moe_intermediate_size": 768, "norm_topk_prob": True, "tie_word_embeddings": False,
}  # fmt: skip


def asked(config=LLAMA, count=16, **settings):
    filled = asdict(MegatronSettings(num_processes=count, **settings))
    return shares(EstimateRequest(config=config, settings=filled, step_settings={"batch_size": 32}, device="cuda"))


def offered(count, node=8, config=LLAMA, **step):
    cards = (Device("card", 1, 1, 0, facts={"node": node}),) * count
    return variants(EstimateRequest(config=config, device="cuda", devices=cards, step_settings=step))


def test_there_are_no_more_copies_of_the_model_than_rows_and_devices_left_over_divide_them():
    found = list(offered(64, batch_size=2))
    for one in found:
        context = one.get("context_parallel_size", 1)
        copy = one["tensor_model_parallel_size"] * one["pipeline_model_parallel_size"] * context
        assert one["num_processes"] == min(64, 2 * copy)
        assert context == 1 or copy < 64
    assert {"num_processes": 16, "tensor_model_parallel_size": 1, "pipeline_model_parallel_size": 1, "context_parallel_size": 8} in found
    assert all("context_parallel_size" not in one for one in offered(16, batch_size=16))


def test_ranks_that_divide_rows_compute_and_keep_a_part_of_each_and_send_keys_and_values():
    one, two, both = asked(), asked(context_parallel_size=2), asked(tensor_model_parallel_size=2, context_parallel_size=2)
    assert (one["data"], two["data"], two["computes"], both["computes"]) == (16.0, 8.0, 1 / 2, 1 / 4)
    assert two["parameters"] == one["parameters"] == 1.0
    assert two["reduce_step"] == one["reduce_step"]
    gathered = 2 * 8 / 64 / 2  # keys and values of 8 heads of 64, of which the half is elsewhere
    assert two["exchange"] == 2 * gathered
    assert two["activations"] == pytest.approx(1 / 2 + 2 / 34 * gathered)
    assert both["exchange"] == pytest.approx(8 / 2 / 2 + gathered)
    assert (two["group"], both["group"]) == (2.0, 4.0)


def test_the_stage_with_a_table_holds_most():
    both = asked(tensor_model_parallel_size=8)
    assert both["parameters"] == pytest.approx(1 / 8, rel=1e-3)  # norms are on every rank of a layer
    staged = asked(tensor_model_parallel_size=8, pipeline_model_parallel_size=2)
    table, layers, total = 128256 * 8192, 70.55e9 - 2 * 128256 * 8192, 70.55e9
    assert staged["parameters"] == pytest.approx((table + layers / 2) / 8 / total, rel=1e-3)
    assert staged["gradients"] == staged["optimizer"] == staged["parameters"]


def test_experts_are_divided_by_their_own_ranks_too():
    one, two = (asked(MOE, 8, expert_model_parallel_size=size)["parameters"] for size in (1, 8))
    experts = 48 * 128 * 3 * 2048 * 768 / 30.53e9
    assert one == pytest.approx(1.0, rel=1e-3)
    assert two == pytest.approx(1 - experts * 7 / 8, rel=1e-3)


def test_shares_of_a_batch_and_what_is_sent():
    told = asked(tensor_model_parallel_size=4, pipeline_model_parallel_size=2)
    assert (told["data"], told["computes"], told["group"]) == (2.0, 1 / 8, 4.0)
    assert told["exchange"] == 8 * 3 / 4 / 2
    assert told["idle"] == 1 / (16 + 1)
    assert "idle" not in asked(tensor_model_parallel_size=4)
    assert asked(tensor_model_parallel_size=4, sequence_parallel=True)["activations"] == 1 / 4
    assert 1 / 4 < asked(tensor_model_parallel_size=4)["activations"] < 1


def test_layers_are_divided_within_a_node_and_only_as_they_can_be():
    found = offered(16)
    assert {(one["tensor_model_parallel_size"], one["pipeline_model_parallel_size"]) for one in found} == {
        (2, 1), (2, 2), (2, 4), (2, 8), (4, 1), (4, 2), (4, 4), (8, 1), (8, 2),
    }  # fmt: skip
    assert all(one["num_processes"] == 16 and one["sequence_parallel"] for one in found)
    assert {one["tensor_model_parallel_size"] for one in offered(16, node=2)} == {2}
    assert offered(1) == []
    assert offered(8, config={**LLAMA, "model_type": "gemma2"}) == []
    assert {one["tensor_model_parallel_size"] for one in offered(8, config={**LLAMA, "num_key_value_heads": 4})} == {2, 4}
