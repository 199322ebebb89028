"""What readers older than transformers 5 look for in a checkpoint, beside what transformers 5 writes; and nothing that varies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def complete_config(path: Path) -> None:
    """Add `rope_theta`, `rope_scaling` and `torch_dtype` under their old names to a config.json; drop the file's own title."""
    config = _read(path)
    config.pop("_model_name_or_path", None)
    config.pop("_name_or_path", None)
    rope = dict(config.get("rope_parameters") or {})
    theta, kind = rope.pop("rope_theta", None), rope.get("rope_type", "default")
    if theta is not None:
        config.setdefault("rope_theta", theta)
    if kind != "default":
        config.setdefault("rope_scaling", rope)
    if "dtype" in config:
        config["torch_dtype"] = config["dtype"]
    _write(path, config)


def complete_tokenizer_config(folder: Path, *, context: int | None) -> None:
    """Name the generic fast tokenizer class, put the chat template inline, and bound the length by the model's context."""
    path = folder / "tokenizer_config.json"
    config = _read(path)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    for name in ("is_local", "local_files_only", "backend", "name_or_path", "gguf_file"):
        config.pop(name, None)
    if context and config.get("model_max_length", 0) > context:
        config["model_max_length"] = context
    template = folder / "chat_template.jinja"
    if template.exists():
        config["chat_template"] = template.read_text("utf-8")
    _write(path, config)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
