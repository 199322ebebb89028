"""Small models as they lie on a hub: their files, and no sense in the weights."""

from __future__ import annotations

import hashlib
import json
import struct

CONFIG = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 11}


def safetensors(size: int, seed: str = "") -> bytes:
    """A file of one tensor of `size` bytes."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + hashlib.shake_256(seed.encode()).digest(size)


def model_files(size: int = 3_000_000, **more: bytes) -> dict[str, bytes]:
    """A repository: a model with `size` bytes of weights, and what does not belong to it."""
    files = {"config.json": json.dumps(CONFIG).encode(), "tokenizer.json": b'{"version": "1.0"}', "README.md": b"# hi",
             "pytorch_model.bin": b"pickle", "model.safetensors": safetensors(size)}  # fmt: skip
    return files | more
