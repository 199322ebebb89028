"""What a GGUF file, and the tokenizer's files beside it, say of how the model is talked to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Speech:
    """
    Args:
        template: the chat template (Jinja); empty if there is none.
        begin, end: the tokens that begin and end a text.
        adds_begin: the runtime puts `begin` before every text.
        context: longest text in tokens; 0 if unknown.
        sampling: temperature, top_p and top_k where the model's author gives defaults that are sampled with.
    """

    template: str = ""
    begin: str = ""
    end: str = ""
    adds_begin: bool = False
    context: int = 0
    sampling: Mapping[str, float] = field(default_factory=dict)


def speech(file: Path) -> Speech:
    """Of a GGUF file. A template beside it counts before the one in it, which conversions keep equal."""
    import gguf

    fields = gguf.GGUFReader(file).fields

    def value(key: str) -> Any:
        return fields[key].contents() if key in fields else None

    def token(name: str) -> str:
        number = value(f"tokenizer.ggml.{name}_token_id")
        tokens = fields.get("tokenizer.ggml.tokens")
        return str(tokens.contents(number)) if tokens is not None and isinstance(number, int) else ""

    adds = value("tokenizer.ggml.add_bos_token")
    return Speech(
        _beside(file.parent) or str(value("tokenizer.chat_template") or ""),
        token("bos"), token("eos"),
        bool(adds) if adds is not None else value("tokenizer.ggml.model") == "llama",  # llama.cpp's own default
        int(value(f"{value('general.architecture')}.context_length") or 0),
        _sampling(file.parent / "generation_config.json"),
    )  # fmt: skip


def _beside(directory: Path) -> str:
    file = directory / "chat_template.jinja"
    said = file.read_text("utf-8") if file.is_file() else _read(directory / "tokenizer_config.json").get("chat_template")
    if isinstance(said, list):  # several by name
        said = next((one.get("template") for one in said if one.get("name") == "default"), "")
    return said if isinstance(said, str) else ""


def _sampling(file: Path) -> dict[str, float]:
    said = _read(file)
    names = ("temperature", "top_p", "top_k") if said.get("do_sample") else ()
    return {name: said[name] for name in names if isinstance(said.get(name), (int, float))}


def _read(file: Path) -> Mapping[str, Any]:
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found if isinstance(found, dict) else {}
