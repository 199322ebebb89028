"""A tokenizer as the server needs it: text to ids, ids to text, and the bytes of a single token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tunesmith_torch.api.text import ChatTemplate

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@lru_cache(maxsize=1)
def _printable_bytes() -> dict[str, int]:
    """The printable character that byte-level BPE (GPT-2) writes for each byte, and back."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(b): b for b in plain} | {chr(256 + index): byte for index, byte in enumerate(others)}


class Unreadable(ValueError):
    """A text that the model can't read; the message says why."""


class Vocabulary:
    """Wraps a tokenizer of transformers.

    Args:
        rows: of the model's embedding; tokens from there on, which a tokenizer may have, can't be read. 0: as many as the tokenizer has.
        length: most tokens of a text; texts that can't but have more are refused without being looked at. 0: any number.

    Its Rust core is called directly where there is one: that is several times faster than the wrapper for the few tokens of a step, safe
    beside other threads (the wrapper switches truncation and padding on the shared object), and never rewrites spaces.
    """

    def __init__(self, tokenizer: Any, *, rows: int = 0, length: int = 0) -> None:
        self.tokenizer = tokenizer
        self.template = ChatTemplate.of(tokenizer) if tokenizer.chat_template else None
        #: the template's own words, which tell how the model calls tools and whether it thinks
        self.template_text = "\n".join(self.template.sources.values()) if self.template else ""
        self._size = min(len(tokenizer), rows or len(tokenizer))
        self._most = length * max(map(len, tokenizer.get_vocab()))  # characters
        self._core = getattr(tokenizer, "backend_tokenizer", None)
        state = getattr(getattr(self._core, "decoder", None), "__getstate__", lambda: b"")()
        self._byte_level = b"ByteLevel" in (state if isinstance(state, bytes) else str(state).encode())
        self._bytes: dict[int, bytes] = {}
        self._added = {index: str(token) for index, token in tokenizer.added_tokens_decoder.items()}
        #: tokens that `decode` passes over
        self.hidden = frozenset(index for index, token in tokenizer.added_tokens_decoder.items() if token.special)

    def __len__(self) -> int:
        return self._size

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Token ids; with the model's start token and the like if `special`. Takes a second for a million characters.

        Raises:
            Unreadable: the text is too long, or has tokens that the model does not know.
        """
        if self._most and len(text) > self._most:
            raise Unreadable(f"a text of {len(text)} characters has more tokens than fit; at most {self._most} characters can be read")
        if self._core is not None:  # without offsets, and other threads go on meanwhile
            ids = self._core.encode_batch_fast([text], add_special_tokens=special)[0].ids
        else:
            ids = self.tokenizer.encode(text, add_special_tokens=special)
        self.check(ids)
        return ids

    def check(self, ids: Sequence[int]) -> None:
        """Raises Unreadable where the model does not know a token."""
        if ids and max(ids) >= self._size:
            raise Unreadable(f"there is no token {max(ids)}; the model has {self._size}")

    def token(self, text: str) -> int | None:
        """The one token that is this text; None if there is none."""
        return next((index for index, own in self._added.items() if own == text), None)

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Text, without special tokens unless `special`; bytes that are no whole character give U+FFFD."""
        if self._core is not None:
            return self._core.decode(ids, skip_special_tokens=not special)
        return self.tokenizer.decode(ids, skip_special_tokens=not special, clean_up_tokenization_spaces=False)

    def token_bytes(self, index: int) -> bytes:
        """The bytes that a token stands for; a special token's name."""
        found = self._bytes.get(index)
        if found is None:
            found = self._bytes[index] = self._find_bytes(index)
        return found

    def _find_bytes(self, index: int) -> bytes:
        if index in self._added:
            return self._added[index].encode()
        token = self.tokenizer.convert_ids_to_tokens(index)
        if token is None:  # rows of the embedding beyond the vocabulary
            return b""
        if self._byte_level:
            table = _printable_bytes()
            return bytes(table[c] for c in token) if all(c in table for c in token) else token.encode()
        if found := _BYTE.fullmatch(token):
            return bytes([int(found[1], 16)])
        return token.replace("▁", " ").encode()

    def token_text(self, index: int) -> str:
        """A token for people: its text, or its bytes as ``bytes:\\xf0\\x9f`` where they are no whole characters."""
        raw = self.token_bytes(index)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)
