"""Health check: the library imports, and has what is asked of it."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import compressed_tensors
    import llmcompressor
    import torch
    import transformers
    from llmcompressor.modifiers.gptq import GPTQModifier

    GPTQModifier(scheme="W4A16")
    modules = {"llmcompressor": llmcompressor, "compressed-tensors": compressed_tensors, "torch": torch, "transformers": transformers}
    return {name: str(module.__version__) for name, module in modules.items()}
