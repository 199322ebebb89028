"""transformers, quiet and never from a network."""

from __future__ import annotations

import os
import warnings
from typing import Any


def library() -> Any:
    """transformers, which never goes to a network here; imported where it is needed: that takes seconds."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers

    return transformers


def quiet() -> None:
    """transformers' progress bars and advice are for notebooks; the step reports in its own way."""
    transformers = library()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
