"""Health check: the library imports, and has the models of transformers."""

from __future__ import annotations

import os


def probe() -> dict[str, str]:
    """Versions that matter; raises what is wrong."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    import transformers
    from lm_eval import __version__
    from lm_eval.models.huggingface import HFLM

    assert HFLM.AUTO_MODEL_CLASS is None
    return {"lm-eval": __version__, "torch": torch.__version__, "transformers": transformers.__version__}
