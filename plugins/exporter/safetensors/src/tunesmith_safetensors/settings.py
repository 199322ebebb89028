"""Settings of the exporter `safetensors`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class SafetensorsSettings:
    dtype: str = setting(
        "auto",
        "of the weights that are written; auto: each as it is. Numbers that are no floating point of 16 bits and more stay as they are",
        choices=("auto", "bfloat16", "float16", "float32"),
        aliases=("torch_dtype", "save_dtype"),
    )
    max_shard_size: str = setting(
        "5GB",
        "of a file of weights, in KB, MB, GB or TB; a tensor that is larger has one of its own",
        pattern=r"^\s*[0-9]*\.?[0-9]*[1-9][0-9]*(\.[0-9]*)?\s*[KMGTkmgt][Bb]\s*$",
        examples=("2GB", "500MB", "50KB"),
    )
