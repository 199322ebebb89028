"""Megatron's `TransformerConfig`, and the modules of its layers, from a model's sizes and the settings."""

from __future__ import annotations

from typing import Any

import torch
from megatron.core.fusions.fused_bias_dropout import get_bias_dropout_add
from megatron.core.models.gpt.moe_module_specs import get_moe_module_spec
from megatron.core.tensor_parallel import ColumnParallelLinear, RowParallelLinear
from megatron.core.transformer import ModuleSpec, TransformerConfig, TransformerLayer, TransformerLayerSubmodules
from megatron.core.transformer.attention import SelfAttention, SelfAttentionSubmodules
from megatron.core.transformer.enums import AttnMaskType
from megatron.core.transformer.identity_op import IdentityOp
from megatron.core.transformer.mlp import MLP, MLPSubmodules
from megatron.core.transformer.moe import moe_utils
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules

from tunesmith_megatron.architecture import Architecture
from tunesmith_megatron.attention import PackedAttention
from tunesmith_megatron.rms_norm import RMSNorm
from tunesmith_megatron.settings import MegatronSettings

if not hasattr(moe_utils, "te_general_gemm"):
    moe_utils.te_general_gemm = None  # megatron-core 0.16.1 asks for it where it found no Transformer Engine to take it from


def config_of(shape: Architecture, settings: MegatronSettings, compute: torch.dtype, *, recompute: bool) -> TransformerConfig:
    """Args:
    recompute: activations are computed twice instead of kept.
    """
    options: dict[str, Any] = {}
    if shape.experts:
        options = {
            "num_moe_experts": shape.experts, "moe_router_topk": shape.experts_per_token, "moe_ffn_hidden_size": shape.expert_intermediate,
            "moe_router_pre_softmax": not shape.normalised, "moe_router_load_balancing_type": "none",
            "moe_layer_freq": [int(has) for has in shape.expert_layers],
            "expert_model_parallel_size": settings.expert_model_parallel_size,
            "expert_tensor_parallel_size": settings.expert_tensor_parallel_size, "moe_aux_loss_coeff": 0.0,
        }  # fmt: skip
    if recompute:
        options |= {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": 1}
    return TransformerConfig(
        num_layers=shape.layers, hidden_size=shape.hidden, ffn_hidden_size=shape.intermediate, num_attention_heads=shape.heads,
        num_query_groups=shape.kv_heads, kv_channels=shape.head_size, layernorm_epsilon=shape.eps, normalization="RMSNorm",
        gated_linear_unit=True, activation_func=torch.nn.functional.silu, add_bias_linear=False, add_qkv_bias=shape.qkv_bias,
        qk_layernorm=shape.qk_norm, hidden_dropout=0.0, attention_dropout=0.0,
        tensor_model_parallel_size=settings.tensor_model_parallel_size,
        pipeline_model_parallel_size=settings.pipeline_model_parallel_size, sequence_parallel=settings.sequence_parallel,
        context_parallel_size=settings.context_parallel_size,
        variable_seq_lengths=True, moe_token_dispatcher_type="alltoall", pipeline_dtype=compute, params_dtype=compute,
        bf16=compute == torch.bfloat16, fp16=compute == torch.float16,
        # The engine divides by the weight of the batch: gradients are summed over ranks and micro-batches.
        calculate_per_token_loss=True,
        # Values come from the model's files; kernels that Megatron would compile are left out.
        use_cpu_initialization=True, perform_initialization=False, gradient_accumulation_fusion=False, masked_softmax_fusion=False,
        bias_activation_fusion=False, bias_dropout_fusion=False, persist_layer_norm=False, apply_rope_fusion=False,
        **options,
    )  # fmt: skip


def layers_of(shape: Architecture, first: int, count: int) -> TransformerBlockSubmodules:
    """The modules of `count` layers from number `first` on."""
    feed_forward = ModuleSpec(MLP, submodules=MLPSubmodules(linear_fc1=ColumnParallelLinear, linear_fc2=RowParallelLinear))
    experts = get_moe_module_spec(use_te=False, num_experts=shape.experts) if shape.experts else feed_forward
    head_norm = RMSNorm if shape.qk_norm else IdentityOp
    attention = ModuleSpec(
        SelfAttention, params={"attn_mask_type": AttnMaskType.causal},
        submodules=SelfAttentionSubmodules(
            linear_qkv=ColumnParallelLinear, core_attention=PackedAttention, linear_proj=RowParallelLinear, q_layernorm=head_norm,
            k_layernorm=head_norm,
        ),
    )  # fmt: skip
    specs = [
        ModuleSpec(
            TransformerLayer,
            submodules=TransformerLayerSubmodules(
                input_layernorm=RMSNorm, self_attention=attention, self_attn_bda=get_bias_dropout_add, pre_mlp_layernorm=RMSNorm,
                mlp=experts if shape.expert_layers[number] else feed_forward, mlp_bda=get_bias_dropout_add,
            ),
        )
        for number in range(first, first + count)
    ]  # fmt: skip
    return TransformerBlockSubmodules(layer_specs=specs, layer_norm=RMSNorm)
