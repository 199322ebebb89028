"""Health check: the library imports beside the versions that it needs."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import awq
    import torch
    import transformers
    from awq.utils.packing_utils import dequantize_gemm  # noqa: F401

    return {"autoawq": awq.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
