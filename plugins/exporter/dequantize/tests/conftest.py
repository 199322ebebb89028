"""Small GGUF files written by the `gguf` package from a tiny real model, as llama.cpp's converter would."""

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.materials import tiny_gguf


@pytest.fixture(scope="session")
def gguf_model(tiny_model, tmp_path_factory):
    """``gguf_model(quantization)``: (the original checkpoint, a directory with its GGUF), made once per session."""
    made = {}

    def make(quantization: str = "F32", **options):
        key = (quantization, *options.items())
        if key not in made:
            folder = tmp_path_factory.mktemp("gguf")
            made[key] = (tiny_model("llama"), tiny_gguf.write(tiny_model("llama"), folder / "tiny.gguf", quantization, **options).parent)
        return made[key]

    return make


@pytest.fixture
def dequantize(local_step):
    """``dequantize(folder, dtype)``: the directory that the exporter wrote."""
    from tunesmith.contracts import Artifact
    from tunesmith_dequantize.exporter import Dequantizer
    from tunesmith_dequantize.settings import DequantizeSettings

    def run(folder: Path, dtype: str = "bfloat16") -> Path:
        step = local_step()
        Dequantizer(DequantizeSettings(dtype)).export(Artifact("model/gguf", folder), step.output, step)
        return step.output

    return run
