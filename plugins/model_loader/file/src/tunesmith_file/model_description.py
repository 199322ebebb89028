"""What a path holds: its artifact format and the model's config."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import with_role
from tunesmith.errors import UserError, nearest
from tunesmith_file.declared_layouts import DeclaredLayout, format_by_config
from tunesmith_file.gguf import NotGGUF, read_header
from tunesmith_file.gguf_config import config_of
from tunesmith_file.model_files import Layout, find
from tunesmith_models.roles import role_of_model
from tunesmith_models.safetensors import check_shards, shapes

#: `quantization_config.quant_method` of a config.json -> format; a method that is not here becomes ``model/<method>``.
FORMAT_OF_METHOD = {"bitsandbytes": "model/bnb", "gptq": "model/gptq", "awq": "model/awq", "compressed-tensors": "model/compressed-tensors"}

#: Files in which libraries of before 2024 kept what is in `quantization_config` now -> their method.
QUANTIZATION_FILES = {"quantize_config.json": "gptq", "quant_config.json": "awq"}


def describe(path: Path | str, layouts: Sequence[DeclaredLayout] = ()) -> tuple[str, dict[str, Any]]:
    """Format and config of the model at `path`, a directory or a file; headers are read, weights are not.

    The config is the one of `config.json`, the sizes in a GGUF header in the same terms, or an adapter's `adapter_config.json`.

    Args:
        layouts: further formats, as installed plugins declare them.

    Raises:
        UserError: TS-MODEL-001 no such path; 004 not a model; 005 pickled weights; 008 damaged files.
    """
    root, layout = locate(Path(path), layouts)
    return describe_layout(root, layout, layouts)


def locate(path: Path, layouts: Sequence[DeclaredLayout] = ()) -> tuple[Path, Layout]:
    """The directory of the model at `path` and which of its files belong to it (the layout's root is empty)."""
    if not os.path.exists(path):
        nearby = path.absolute().parent
        names = [entry.name for entry in nearby.iterdir()] if nearby.is_dir() else []
        why = "" if nearby.is_dir() else f"There is no directory {nearby} either."
        fix = nearest(path.name, names, "Correct the path.")
        raise UserError("TS-MODEL-001", f"There is no file or directory {path}.", why=why, fix=fix)
    folder = path if path.is_dir() else path.parent
    inside = "" if path.is_dir() else path.name
    try:
        names = _names(folder)
    except PermissionError as error:
        raise UserError("TS-MODEL-006", f"You may not read {error.filename}.", fix="Ask its owner, or `chmod` it.") from None
    layout = find(names, inside, where=str(folder), layouts=layouts)
    return folder / layout.root, Layout(layout.kind, "", layout.files)


def describe_layout(root: Path, layout: Layout, layouts: Sequence[DeclaredLayout] = ()) -> tuple[str, dict[str, Any]]:
    """`describe` for files that were found already."""
    files = [root / layout.root / name for name in layout.files]
    if layout.kind == "gguf":
        return "model/gguf", gguf_config(files[0])
    for file in files:
        if file.suffix == ".safetensors":
            shapes(file)  # refuses what is not whole
    if layout.kind == "peft":
        return "adapter/peft", read_json(root / layout.root / "adapter_config.json")
    if layout.kind != "hf":
        return layout.kind, read_json(root / layout.root / "config.json") if "config.json" in layout.files else {}
    for index in (file for file in files if file.name.endswith(".safetensors.index.json")):
        _check_shards(index, {file.name for file in files})
    config = with_quantization(
        read_json(root / layout.root / "config.json"), layout.files, lambda name: read_json(root / layout.root / name)
    )
    return format_of(config, layouts), config


def with_quantization(config: dict[str, Any], names: Container[str], read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The config, with what an older library says of the quantization in a file beside it.

    Args:
        names: of the model's files.
        read: gives the object in one of them.
    """
    for name, method in QUANTIZATION_FILES.items():
        if "quantization_config" not in config and name in names:
            config["quantization_config"] = {**read(name), "quant_method": method}
    return config


def format_of(config: Mapping[str, Any], layouts: Sequence[DeclaredLayout] = ()) -> str:
    """The format of a model with this `config.json`: ``model/hf`` unless its weights are quantized; a classifier has a role."""
    quantization = config.get("quantization_config")
    method = quantization.get("quant_method") if isinstance(quantization, Mapping) else None
    plain = format_by_config(config, layouts) or "model/hf"
    format = FORMAT_OF_METHOD.get(str(method), f"model/{method}") if method else plain
    return with_role(format, role_of_model(config))


def gguf_config(path: Path) -> dict[str, Any]:
    """The config told by a GGUF file's header; the file is checked to be whole."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            header = read_header(file, size)
        if header.size > size:
            raise NotGGUF(f"its tensors need {header.size} bytes, it has {size}")
    except (NotGGUF, EOFError) as error:
        raise UserError("TS-MODEL-008", f"{path} is not a whole GGUF file: {error}.", fix="Fetch the file again.") from None
    return config_of(header)


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file, or TS-MODEL-008."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError("TS-MODEL-008", f"{path} is not valid JSON.", why=str(error), fix="Fetch the file again.") from None
    if not isinstance(value, dict):
        raise UserError("TS-MODEL-008", f"{path} should hold a JSON object.", fix="Fetch the file again.")
    return value


def _check_shards(index: Path, present: set[str]) -> None:
    shards = read_json(index).get("weight_map")
    check_shards(index, {str(name) for name in shards.values()} - present if isinstance(shards, dict) else ())


def _names(folder: Path) -> list[str]:
    """Files of a directory and of its direct subdirectories, hidden ones left out."""
    names = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            names += [
                f"{entry.name}/{file.name}" for file in sorted(entry.iterdir()) if not file.is_dir() and not file.name.startswith(".")
            ]
        else:  # also what can't be read: it is told of if it belongs to the model
            names.append(entry.name)
    return names
