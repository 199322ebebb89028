"""model/hf -> model/hf, shard by shard: never more than one of them is in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_models.model_directory import weights_size
from tunesmith_models.safetensors import check_files
from tunesmith_safetensors.settings import SafetensorsSettings

INDEX = "model.safetensors.index.json"
PATTERN = "model{suffix}.safetensors"  # as transformers names them
_WEIGHTS = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth")
_WIDER = ("bfloat16", "float16", "float32", "float64")  # what is cast; fewer bits are scaled by tensors beside them


class SafetensorsExporter:
    def __init__(self, settings: SafetensorsSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write the weights anew; all other files byte for byte, but for the dtype in `config.json`.

        Raises:
            UserError: TS-MODEL-008 when a file is missing or truncated; TS-EXPORT-003 when a number is too large for the dtype.
        """
        from huggingface_hub import split_state_dict_into_shards_factory
        from safetensors import safe_open
        from safetensors.torch import save_file

        check_files(source.path)
        with ExitStack() as stack:
            where: dict[str, Any] = {}
            for path in weight_files(source.path):
                file = stack.enter_context(safe_open(path, framework="pt"))
                where |= dict.fromkeys(file.keys(), file)
            sizes = {name: self._bytes(where[name].get_slice(name)) for name in sorted(where)}
            split = split_state_dict_into_shards_factory(
                sizes, get_storage_size=int, filename_pattern=PATTERN, max_shard_size=self.settings.max_shard_size
            )
            for done, (name, tensors) in enumerate(split.filename_to_tensors.items()):
                step.progress(done, len(split.filename_to_tensors), what="write weights", unit="shards")
                save_file(dict(self._cast(tensors, where, step)), output / name, metadata={"format": "pt"})
            step.progress(done + 1, done + 1, what="write weights", unit="shards")
        if split.is_sharded:
            index = {"metadata": split.metadata, "weight_map": dict(sorted(split.tensor_to_filename.items()))}
            (output / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
        self._copy_beside(source.path, output)
        before, after = weights_size(source.path), weights_size(output)
        metrics = {"bytes": float(after), "ratio": after / before if before else 0.0}
        return Result(metrics={**metrics, "shards": float(len(split.filename_to_tensors))})

    def _bytes(self, tensor: Any) -> int:
        """Of a tensor in a file, as it will be written."""
        count, stored = 1, str(tensor.get_dtype())
        for length in tensor.get_shape():
            count *= length
        bits = int("".join(filter(str.isdigit, stored.partition("_")[0])) or 8)  # F32, BF16, I64, F8_E4M3, BOOL
        if self.settings.dtype != "auto" and stored in ("F64", "F32", "F16", "BF16"):
            bits = 32 if self.settings.dtype == "float32" else 16
        return count * bits // 8

    def _cast(self, names: list[str], where: Mapping[str, Any], step: Step) -> Iterator[tuple[str, Any]]:
        import torch

        for name in names:
            step.check_cancelled()
            tensor = where[name].get_tensor(name)
            if self.settings.dtype != "auto" and str(tensor.dtype).removeprefix("torch.") in _WIDER:
                cast = tensor.to(getattr(torch, self.settings.dtype))
                if not torch.isfinite(cast).all() and torch.isfinite(tensor).all():
                    raise UserError(
                        "TS-EXPORT-003", f"The numbers of {name} are too large for {self.settings.dtype}",
                        why=f"The largest is {float(tensor.abs().max()):g}; it would become infinite.", fix="Take `dtype: bfloat16`.",
                    )  # fmt: skip
                tensor = cast
            yield name, tensor.contiguous()

    def _copy_beside(self, source: Path, output: Path) -> None:
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.name.endswith(_WEIGHTS):
                shutil.copyfile(path, output / path.name)
        config = output / "config.json"
        if self.settings.dtype != "auto" and config.is_file():
            said = _with_dtype(json.loads(config.read_text("utf-8")), self.settings.dtype)
            config.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def weight_files(directory: Path) -> list[Path]:
    """The files that transformers would read: those of the index, else `model.safetensors`, else all."""
    if (index := directory / INDEX).is_file():
        return [directory / name for name in sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))]
    whole = directory / PATTERN.format(suffix="")
    return [whole] if whole.is_file() else sorted(directory.glob("*.safetensors"))


def _with_dtype(config: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """The config, wherever it says a dtype; older readers know it as `torch_dtype`."""
    found = {name: _with_dtype(value, dtype) if isinstance(value, Mapping) else value for name, value in config.items()}
    return {**found, **{name: dtype for name in ("dtype", "torch_dtype") if found.get(name)}}
