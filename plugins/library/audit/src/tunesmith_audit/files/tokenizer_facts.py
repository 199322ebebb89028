"""A tokenizer and its chat template by their files; standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith_audit.verdict import Finding

#: parts of tokenizer.json that decide which ids a text has, and which text ids have
_PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_NAMES = ("bos_token", "eos_token", "unk_token")


def tokenizer_findings(parent: Path, child: Path) -> list[Finding]:
    """Where two tokenizers differ in what they do. None where the parent has none."""
    old, new = _facts(parent), _facts(child)
    if not old:
        return []
    if not new:
        return [Finding("TS-AUDIT-006", "the tokenizer's files are not there")]
    names = sorted(name for name in old if (name in new and old[name] != new[name]) or (name == "chat template" and name not in new))
    found = []
    for name in names:
        there = name in new
        found.append(
            Finding("TS-AUDIT-006", f"the tokenizer's {name} {'differs' if there else 'is not there'}", there and name == "chat template")
        )
    return found


def template_identity(directory: Path) -> str:
    """SHA-256 over chat template and special tokens: travels with an artifact, so that who serves it can tell
    whether it is the same."""
    facts = _facts(directory)
    wanted = {name: facts.get(name) for name in ("chat template", *_NAMES, "special tokens")}
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def chat_template(directory: Path) -> Any:
    """The template's text, or several by name; None where there is none."""
    file = directory / "chat_template.jinja"
    return file.read_text("utf-8") if file.is_file() else _read(directory / "tokenizer_config.json").get("chat_template")


def _facts(directory: Path) -> dict[str, Any]:
    config, tokenizer = _read(directory / "tokenizer_config.json"), _read(directory / "tokenizer.json")
    found: dict[str, Any] = {}
    if template := chat_template(directory):
        found["chat template"] = template.strip() if isinstance(template, str) else template
    found |= {name: _text(config[name]) for name in _NAMES if config.get(name)}
    model = tokenizer.get("model")
    if isinstance(model, dict):
        vocabulary, merges = model.get("vocab", {}), model.get("merges") or []
        found["vocabulary"] = _digest(sorted(map(list, vocabulary.items())) if isinstance(vocabulary, dict) else vocabulary)
        found["merges"] = _digest([one if isinstance(one, list) else one.split(" ") for one in merges])
        added = tokenizer.get("added_tokens") or []
        found["added tokens"] = sorted((one["id"], one["content"]) for one in added)
        found["special tokens"] = sorted(one["content"] for one in added if one.get("special"))
        found |= {part: tokenizer[part] for part in _PARTS if part in tokenizer}
    pieces = directory / "tokenizer.model"
    if pieces.is_file():
        found["tokenizer.model"] = hashlib.sha256(pieces.read_bytes()).hexdigest()
    return found


def _text(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
