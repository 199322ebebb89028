"""A tokenizer as far as conversations go, from its files alone: every character is a token.

That is enough to see whether a chat template writes rows so that they can be trained on, at a hundredth of what a vocabulary takes to load.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith_torch.data.chat_template.eos_tokens import read_object

_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_BEGINNING = 2**22  # bytes of a tokenizer.json in which its added tokens stand


class TextTokenizer:
    """The part of a tokenizer that `chat.ChatTokenizer` asks for, under transformers' names.

    Args:
        directory: the model's, with tokenizer_config.json and what else there is.
    """

    def __init__(self, directory: Path) -> None:
        config, added = read_object(directory / "tokenizer_config.json"), dict(_added(directory / "tokenizer.json"))
        known = read_object(directory / "special_tokens_map.json") | config
        self.chat_template = _template(directory, config)
        self.special_tokens_map = {name: _text(known[name]) for name in _NAMES if known.get(name)}
        listed = {int(number): _text(token) for number, token in (config.get("added_tokens_decoder") or {}).items()}
        self.added_tokens_decoder = added | listed
        self.all_special_tokens = [*self.special_tokens_map.values(), *map(_text, known.get("additional_special_tokens") or ())]
        self.backend_tokenizer = _Characters()


class _Characters:
    def no_truncation(self) -> None:
        """Nothing is cut."""

    def no_padding(self) -> None:
        """Nothing is added."""

    def encode(self, text: str, **options: Any) -> _Encoded:
        return _Encoded(text)

    def token_to_id(self, text: str) -> int:
        return 0


class _Encoded:
    def __init__(self, text: str) -> None:
        self.ids = list(map(ord, text))  # equal where the texts are: objectives compare sequences
        self.offsets = [(at, at + 1) for at in range(len(text))]

    def char_to_token(self, character: int) -> int:
        return character  # one past the end is where no more tokens begin

    def token_to_chars(self, token: int) -> tuple[int, int]:
        return token, token + 1


def _template(directory: Path, config: Mapping[str, Any]) -> Any:
    """As transformers finds it: one text, or several by name."""
    more = {path.stem: path.read_text("utf-8") for path in sorted((directory / "additional_chat_templates").glob("*.jinja"))}
    beside = directory / "chat_template.jinja"
    given = beside.read_text("utf-8") if beside.is_file() else config.get("chat_template")
    if isinstance(given, list):
        given = {str(entry["name"]): entry["template"] for entry in given}
    return {"default": given, **more} if more and isinstance(given, str) else given


def _added(path: Path) -> Iterator[tuple[int, str]]:
    """Ids and texts of a tokenizer.json's added tokens, which stand before its vocabulary."""
    try:
        with open(path, encoding="utf-8") as file:
            beginning = file.read(_BEGINNING)
        _, found, rest = beginning.partition('"added_tokens":')
        tokens = json.JSONDecoder().raw_decode(rest.lstrip())[0] if found else []
        yield from ((int(token["id"]), str(token["content"])) for token in tokens)
    except (OSError, ValueError, KeyError, TypeError):  # the step will say what is wrong with it
        return


def _text(token: Any) -> str:
    return str(token["content"] if isinstance(token, Mapping) else token)
