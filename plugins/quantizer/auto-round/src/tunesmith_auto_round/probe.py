"""Health check: the library imports, and knows what is asked of it."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import auto_round
    import torch
    import transformers

    auto_round.SignRoundConfig(iters=1, bits=4, group_size=64)
    return {"auto-round": auto_round.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
