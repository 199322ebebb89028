"""Megatron's model is transformers': the same log-probabilities and gradients, however it is divided, and saved as it was read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
PROGRAM = Path(__file__).with_name("megatron_model.py")
MOE = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
TP, PP = {"tensor_model_parallel_size": 2}, {"pipeline_model_parallel_size": 2}
SP, EP = TP | {"sequence_parallel": True}, {"expert_model_parallel_size": 2}
CP, WHOLE = {"context_parallel_size": 2}, {"expert_tensor_parallel_size": 1}
CASES = {
    "llama-tp": ("llama", {}, TP, 2),
    "llama-tied-pp": ("llama", {"tie_word_embeddings": True}, PP, 2),
    "llama3-rope-sp": ("llama", {"rope_parameters": LLAMA3}, SP, 2),
    "llama-linear-rope-dp": ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}, {}, 2),
    "qwen2-tied-tp": ("qwen2", {"tie_word_embeddings": True}, TP, 2),
    "qwen2-tp-pp": ("qwen2", {"tie_word_embeddings": True}, SP | PP, 4),
    "qwen3-sp": ("qwen3", {"head_dim": 32}, SP, 2),
    "qwen3-pp-dp": ("qwen3", {"tie_word_embeddings": True}, PP | {"overlap_grad_reduce": True}, 4),
    "llama-cp": ("llama", {}, CP, 2),
    "llama-cp-4": ("llama", {"tie_word_embeddings": True}, {"context_parallel_size": 4}, 4),
    "qwen2-sp-cp": ("qwen2", {}, SP | CP, 4),
    "qwen2-tied-cp-pp": ("qwen2", {"tie_word_embeddings": True}, CP | PP, 4),
    "qwen3-cp-dp": ("qwen3", {"head_dim": 32}, CP | {"overlap_grad_reduce": True}, 4),
    "moe-cp": ("qwen3_moe", MOE | {"norm_topk_prob": True}, CP, 2),
    "moe-cp-ep": ("qwen3_moe", MOE | {"norm_topk_prob": False}, CP | EP, 2),
    "moe-sp": ("qwen3_moe", MOE | {"norm_topk_prob": True}, SP, 2),
    "moe-ep": ("qwen3_moe", MOE | {"norm_topk_prob": False}, EP, 2),
    "moe-ep-pp": ("qwen3_moe", MOE | {"norm_topk_prob": True, "mlp_only_layers": [0]}, EP | PP, 4),
    "moe-sp-ep": ("qwen3_moe", MOE | {"norm_topk_prob": True}, SP | EP | WHOLE, 2),
    "moe-sp-ep-dp": ("qwen3_moe", MOE | {"norm_topk_prob": False}, SP | {"expert_model_parallel_size": 4} | WHOLE, 4),
    "moe-pp": ("qwen3_moe", MOE | {"norm_topk_prob": True, "decoder_sparse_step": 2}, PP, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_log_probabilities_and_gradients_are_those_of_transformers_and_what_is_saved_is_bit_equal(tmp_path, by_megatron, case):
    family, sizes, settings, processes = CASES[case]
    model = tiny_model(tmp_path / "model", family=family, **sizes)
    # A checkpoint as they are published: in bfloat16, and what trains is float32.
    weights = {name: value.bfloat16() for name, value in load_file(model / "model.safetensors").items()}
    from safetensors.torch import save_file

    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((model / "config.json").read_text()) | {"dtype": "bfloat16"}
    (model / "config.json").write_text(json.dumps(config))
    (tmp_path / "output").mkdir()
    told = by_megatron(tmp_path, model, processes, program=PROGRAM, strategy_settings=settings)
    shares = processes
    for name in ("tensor_model_parallel_size", "pipeline_model_parallel_size", "context_parallel_size"):
        shares //= settings.get(name, 1)
    for rank in told.values():
        assert rank["apart"] < 5e-6
        assert rank["norm"] == pytest.approx(rank["wanted"], rel=1e-5)
        assert rank["outputs"] == [21, 10, 0]
        assert rank["shares"] == shares
        assert rank["sums"] == [shares * (shares + 1) / 2, True, False]
    saved = load_file(tmp_path / "output" / "model.safetensors")
    assert saved.keys() == weights.keys()
    for name, value in weights.items():
        assert saved[name].dtype == value.dtype
        assert torch.equal(saved[name], value), name
