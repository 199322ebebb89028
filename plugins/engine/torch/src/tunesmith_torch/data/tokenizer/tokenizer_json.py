"""A tokenizer that is all in its ``tokenizer.json``, without transformers, whose import takes seconds.

It stands for transformers' generic fast tokenizer, which adds nothing of its own; a tokenizer of any other class is left to transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

_GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend")
_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

#: Settings that change what transformers' class does with the file.
_FOREIGN = ("add_prefix_space", "auto_map", "fix_mistral_regex", "add_bos_token", "add_eos_token")


class PlainTokenizer:
    """The part of transformers' tokenizer that `chat.ChatTokenizer` asks for, under the same names."""

    def __init__(self, backend: Tokenizer, template: str, special: Mapping[str, str]) -> None:
        self.backend_tokenizer, self.chat_template, self.special_tokens_map = backend, template, dict(special)

    @property
    def all_special_tokens(self) -> list[str]:
        return list(dict.fromkeys(self.special_tokens_map.values()))

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        return self.backend_tokenizer.get_added_tokens_decoder()

    def __len__(self) -> int:
        return self.backend_tokenizer.get_vocab_size(with_added_tokens=True)


def plain_tokenizer(directory: Path) -> PlainTokenizer | None:
    """The tokenizer in `directory`; None where it is more than its ``tokenizer.json`` and a chat template."""
    try:
        config = json.loads((directory / "tokenizer_config.json").read_text("utf-8"))
        template = _template(directory, config)
        if config.get("tokenizer_class") not in _GENERIC or not template or any(config.get(name) for name in _FOREIGN):
            return None
        backend = Tokenizer.from_file(str(directory / "tokenizer.json"))
    except Exception:  # tokenizers raises plain ones; transformers will say what is wrong
        return None
    special = {name: _text(config[name]) for name in _NAMES if config.get(name)}
    known = backend.get_vocab(with_added_tokens=True)
    more = [*special.values(), *map(_text, config.get("additional_special_tokens") or ())]
    more += [_text(token) for token in (config.get("added_tokens_decoder") or {}).values()]
    return PlainTokenizer(backend, template, special) if all(token in known for token in more) else None


def _template(directory: Path, config: Mapping[str, Any]) -> str | None:
    beside = directory / "chat_template.jinja"
    if (directory / "additional_chat_templates").exists() or (directory / "chat_template.json").exists():
        return None
    template = beside.read_text("utf-8") if beside.exists() else config.get("chat_template")
    return template if isinstance(template, str) else None


def _text(token: Any) -> str:
    return str(token["content"] if isinstance(token, Mapping) else token)
