"""Randomness as a function of where one is, not of what came before.

Every step seeds all generators from (seed, step, rank). So a checkpoint needs to hold no generator's state, only the step: a resumed run
draws the same dropout masks as an uninterrupted one, whatever was drawn in between, on any device.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys

import torch


def derived(*parts: object) -> int:
    """A 63-bit seed from the parts, the same in every process and version."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def seed_everything(*parts: object) -> None:
    """Seed torch (on all devices), Python, and numpy where something uses it."""
    seed = derived(*parts)
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def deterministic(wanted: bool) -> None:
    """Choose kernels that give the same bits each time, where there are such; or the fastest. Before the first work on a GPU."""
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # for finding bugs, at the price of writing every buffer twice
    torch.backends.cudnn.benchmark = False
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else its products differ from stream to stream
