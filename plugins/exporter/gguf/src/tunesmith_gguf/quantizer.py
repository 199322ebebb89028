"""model/hf -> model/gguf in few bits: the file by llama.cpp's converter, each of its matrices then rounded by ggml.

K-quants: blocks of 256 weights in sub-blocks whose scales are quantized, too; with rows each column's error counts as much as the mean
square of what it reads, argmin_q sum_j E[x_j^2] (w_j - q_j)^2 (llama.cpp, `llama-imatrix` and `llama-quantize`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gguf
import numpy as np
import transformers

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_gguf.exporter import FILE, beside, convert
from tunesmith_gguf.ggml import rounded
from tunesmith_gguf.mixtures import table, type_of
from tunesmith_gguf.settings import GgufQuantizerSettings
from tunesmith_models import configuration, stored_type
from tunesmith_models.model_directory import weights_size

CHUNK = 2**24  # numbers of a matrix that are rounded at a time
_WRITTEN_ANEW = ("general.file_type", "general.quantization_version", "general.architecture")


class GgufQuantizer:
    def __init__(self, settings: GgufQuantizerSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Convert, weigh the columns where there are rows, round.

        Raises:
            UserError: TS-MODEL-008 or -022 when the checkpoint is not whole; TS-QUANT-002: the rows have no text.
            TunesmithError: TS-MODEL-010 when the converter knows not the architecture or the tokenizer.
        """
        settings, exact = self.settings, step.work / "exact.gguf"
        outtype = "bf16" if stored_type(configuration(model.path)) == "bfloat16" else "f32"
        convert(model.path, exact, outtype, settings.model_name, step)
        weights, rows = self._importance(model.path, exact, calibration, step) if calibration else ({}, 0)
        write(exact, output / FILE, settings.quant_type, weights, step)
        exact.unlink()
        beside(model.path, output)
        before, after = weights_size(model.path), (output / FILE).stat().st_size
        on = f" on {rows} rows" if rows else ""
        step.log(f"quantized to {settings.quant_type}{on}: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": rows})

    def _importance(self, model: Path, exact: Path, calibration: Artifact, step: Step) -> tuple[Mapping[str, np.ndarray], int]:
        """Of each matrix in the file, by its name there; the number of rows."""
        from tunesmith_gguf.importance import importance
        from tunesmith_quantization.calibration import calibration_tokens, joined_sequences

        settings = self.settings
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        found = importance(model, joined_sequences(rows, settings.max_seq_length), step)
        reader = gguf.GGUFReader(exact)
        kind = next(one for one, name in gguf.MODEL_ARCH_NAMES.items() if name == _value(reader, "general.architecture"))
        names = gguf.get_tensor_name_map(kind, _layers(reader))
        named = {names.get_name(name, try_suffixes=(".weight",)): values for name, values in found.items()}
        return {name: values for name, values in named.items() if name}, len(rows)


def write(exact: Path, file: Path, mixture: str, importance: Mapping[str, np.ndarray], step: Step) -> None:
    """Write `file` with the metadata and tensors of `exact`, its matrices in the mixture's types; one tensor at a time is held."""
    reader = gguf.GGUFReader(exact)
    layers, tied = _layers(reader), all(one.name != "output.weight" for one in reader.tensors)
    writer = gguf.GGUFWriter(file, _value(reader, "general.architecture"))
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in _WRITTEN_ANEW:
            continue
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    writer.add_file_type(table()["mixtures"][mixture]["file"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    types = {one.name: _type(one, mixture, layers, tied=tied) for one in reader.tensors}
    for one in reader.tensors:
        block, size = gguf.GGML_QUANT_SIZES[types[one.name]]
        *outer, columns = map(int, reversed(one.shape))
        shape, count = (*outer, columns // block * size), int(one.n_elements) // block * size
        writer.add_tensor_info(one.name, shape, np.dtype(np.uint8), count, types[one.name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for at, one in enumerate(reader.tensors):
        writer.write_tensor_data(_bytes(one, types[one.name], importance.get(one.name), step))
        step.progress(at + 1, len(reader.tensors), what="quantizing", unit="tensors")
    writer.close()


def _type(one: gguf.ReaderTensor, mixture: str, layers: int, *, tied: bool) -> gguf.GGMLQuantizationType:
    if len(one.shape) < 2 or not one.name.endswith(".weight") or "ffn_gate_inp" in one.name or "norm" in one.name:
        return one.tensor_type
    return gguf.GGMLQuantizationType[type_of(mixture, one.name, int(one.shape[0]), layers, tied=tied)]


def _bytes(one: gguf.ReaderTensor, type: gguf.GGMLQuantizationType, importance: np.ndarray | None, step: Step) -> np.ndarray:
    if type == one.tensor_type:
        return one.data.view(np.uint8)
    columns = int(one.shape[0])
    data = one.data.reshape(-1, one.data.shape[-1])
    at_once, parts = max(1, CHUNK // columns), []
    for start in range(0, len(data), at_once):
        step.check_cancelled()
        values = gguf.quants.dequantize(data[start : start + at_once], one.tensor_type).astype(np.float32, copy=False)
        if type == gguf.GGMLQuantizationType.F16:
            parts.append(values.astype(np.float16).view(np.uint8))
        else:
            parts.append(rounded(values, type, importance))
    return np.concatenate(parts)


def _layers(reader: gguf.GGUFReader) -> int:
    return int(_value(reader, f"{_value(reader, 'general.architecture')}.block_count"))


def _value(reader: gguf.GGUFReader, key: str) -> str | int:
    return reader.fields[key].contents()
