"""Health check: the library imports, and has what the strategy reaches for inside it."""

from __future__ import annotations


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    import inspect

    import megatron.core
    import torch
    from megatron.core.models.gpt import GPTModel
    from megatron.core.transformer import TransformerConfig

    if "hidden_states" not in inspect.signature(GPTModel._postprocess).parameters:
        raise AttributeError(f"megatron-core {megatron.core.__version__} has no GPTModel._postprocess that is given hidden states")
    if "variable_seq_lengths" not in inspect.signature(TransformerConfig).parameters:
        raise AttributeError(f"megatron-core {megatron.core.__version__} has no `variable_seq_lengths`")
    return {"megatron-core": megatron.core.__version__, "torch": torch.__version__}
