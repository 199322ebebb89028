"""``python -m tunesmith_openvino.conversion MODEL FOLDER FORMAT``: a Hugging Face model as OpenVINO reads it.

A program of its own, whose memory (the model in PyTorch, its trace) is given back before the model is served.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

MODEL, WEIGHTS = "openvino_model.xml", "openvino_model.bin"


def ensure_converted(model: Path, folder: Path, weight_format: str) -> None:
    """Convert the model into `folder`, once.

    Raises:
        RuntimeError: it could not be converted; what was the matter stands on stderr.
    """
    if (folder / MODEL).exists():
        return
    print(f"converting the model to {folder.name}", flush=True)
    if status := subprocess.run(command(model, folder, weight_format), check=False).returncode:
        raise RuntimeError(f"the model could not be converted to OpenVINO's format (status {status})")


def command(model: Path, folder: Path, weight_format: str) -> list[str]:
    """The program that converts."""
    return [sys.executable, "-m", "tunesmith_openvino.conversion", str(model), str(folder), weight_format]


def convert(model: Path, folder: Path, weight_format: str) -> None:
    """Write the converted model, whole or not at all."""
    from optimum.exporters.openvino import main_export

    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    main_export(
        str(model), aside, task="text-generation-with-past", library_name="transformers", local_files_only=True, trust_remote_code=False,
        convert_tokenizer=True,
    )  # fmt: skip
    if weight_format == "int8":
        compress(aside)
    aside.rename(folder)


def compress(folder: Path) -> None:
    """Weights in 8 bits, each row with a scale and a zero point of its own; the model is rewritten in place."""
    import nncf
    import openvino

    model = openvino.Core().read_model(folder / MODEL)
    small = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    openvino.save_model(small, folder / f"small_{MODEL}", compress_to_fp16=False)
    del model, small  # its file is mapped
    for path in (folder / MODEL, (folder / MODEL).with_suffix(".bin")):
        path.with_name(f"small_{path.name}").replace(path)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what tracing remarks about transformers' code
    convert(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
