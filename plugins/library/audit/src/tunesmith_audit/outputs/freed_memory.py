"""What the step's own work and the audit have let go of, back to the system, before two models are run.

Without it a merge of SmolLM2-135M took 2.3 GB at its peak: files that nobody read any more were mapped still (0.5 GB), and the C library
kept what freed float32 weights had lain in (0.3 GB), beside which the model that is compared was loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

from tunesmith_audit.files.tensors import unmap


def give_back() -> None:
    unmap()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc has no such call
        ctypes.CDLL(None).malloc_trim(0)
