"""Health check: the library imports, and knows what is asked of it."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import gptqmodel
    import torch
    import transformers

    gptqmodel.QuantizeConfig(bits=4, group_size=64)
    return {"gptqmodel": gptqmodel.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
