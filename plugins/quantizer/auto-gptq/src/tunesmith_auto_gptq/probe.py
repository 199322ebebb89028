"""Health check: the library imports beside the versions that it needs."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import auto_gptq
    import torch
    import transformers
    from auto_gptq.nn_modules.qlinear.qlinear_cuda import QuantLinear

    QuantLinear(4, 32, 32, 32, bias=False)

    return {"auto-gptq": auto_gptq.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
