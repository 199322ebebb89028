"""Directories of Hugging Face checkpoints, as plugins that rewrite the weights need them; standard library only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Files of a model that are not its weights: tokenizer, chat template, generation defaults.
BESIDE = (
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "chat_template*",
    "generation_config.json",
)  # fmt: skip


def configuration(model: Path) -> dict[str, Any]:
    """What the model's ``config.json`` holds; empty without one."""
    file = Path(model) / "config.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def copy_beside(source: Path, output: Path) -> None:
    """Copy what is not weights or config, in place of what a library has written there: the originals say it as their author did."""
    for pattern in BESIDE:
        for path in sorted(Path(source).glob(pattern)):
            if path.is_file():
                shutil.copyfile(path, Path(output) / path.name)


#: the fact ``metrics`` of a quantizer or exporter whose result tells the size of the weights' files
SIZES = {
    "bytes": {"better": "lower", "summary": "of the weights' files"},
    "ratio": {"better": "lower", "summary": "of the weights' bytes to those that they had before"},
}


def weights_size(directory: Path) -> int:
    """Bytes of the safetensors files."""
    return sum(path.stat().st_size for path in Path(directory).glob("*.safetensors"))


def gguf_in(directory: Path) -> Path | None:
    """The GGUF file of a directory that has one and no safetensors."""
    files = sorted(Path(directory).glob("*.gguf"))
    return files[0] if len(files) == 1 and not any(Path(directory).glob("*.safetensors")) else None


def older_view(source: Path, folder: Path) -> Path:
    """A checkpoint as libraries of before 2026 read it, in `folder`: links to the files, with config and tokenizer in the older words.

    Newer checkpoints say ``rope_parameters`` for ``rope_theta`` and ``rope_scaling``, ``dtype`` for ``torch_dtype``, name a tokenizer that
    is not known there, and keep the chat template in a file. An older library would not fail on the first, but compute something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in Path(source).iterdir():
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path.resolve())
    _rewrite(folder / "config.json", _older_config)
    template = folder / "chat_template.jinja"
    inline = {"chat_template": template.read_text("utf-8")} if template.exists() else {}
    _rewrite(folder / "tokenizer_config.json", lambda said: {**said, **_OLDER_CLASS.get(str(said.get("tokenizer_class")), {}), **inline})
    return folder


_OLDER_CLASS = {"TokenizersBackend": {"tokenizer_class": "PreTrainedTokenizerFast"}}


def _older_config(config: dict[str, Any]) -> dict[str, Any]:
    rope = config.get("rope_parameters")
    if isinstance(rope, dict) and "rope_theta" in rope:
        config.setdefault("rope_theta", rope["rope_theta"])
        if rope.get("rope_type", "default") != "default":
            config.setdefault("rope_scaling", {key: value for key, value in rope.items() if key != "rope_theta"})
    if "dtype" in config:
        config.setdefault("torch_dtype", config["dtype"])
    return config


def _rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    if path.exists():
        said = change(json.loads(path.read_text("utf-8")))
        path.unlink()
        path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
