"""What stands for pictures in a prompt: embeddings in the places of tokens, and the positions that the model counts there.

They are those that the model's own forward pass hands to its decoder, whatever the family does to make them; the pass ends there. From
then on a sequence with pictures is read like any other, in parts and beside others.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

T = TypeVar("T")

#: What a decoder may be handed beside embeddings and positions without it meaning anything to causal attention.
_HARMLESS = {"attention_mask", "past_key_values", "use_cache", "cache_position", "input_ids", "return_dict", "mm_token_type_ids"}


@dataclass(frozen=True, eq=False)
class Seen:
    """A prompt with pictures as the decoder reads it.

    Args:
        embeds: ``[tokens, hidden]``.
        positions: ``[dimensions, tokens]`` where the model counts in several dimensions, else None: positions are places in the sequence.
    """

    embeds: torch.Tensor
    positions: torch.Tensor | None

    @property
    def dimensions(self) -> int:
        return 1 if self.positions is None else len(self.positions)

    def positions_at(self, start: int, count: int) -> torch.Tensor:
        """``[dimensions, count]``, of the prompt and of what is generated after it."""
        at = torch.arange(start, start + count, device=self.embeds.device)
        if self.positions is None:
            return at[None]
        known = self.positions[:, start : start + count]
        after = at[known.shape[1] :] - self.positions.shape[1] + self.positions.max() + 1
        return torch.cat([known, after.expand(len(known), -1)], 1)


class Unseeable(ValueError):
    """The family hands its decoder more than embeddings and positions; the message says what."""


class _Handed(Exception):
    """Ends a forward pass at its decoder."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given


class Vision:
    """Reads the pictures of prompts, one prompt at a time. Any thread may ask; the engine's decoder goes on meanwhile.

    Args:
        model: of transformers, that sees.
        chat: its `ChatProcessor`, of `tunesmith_torch`.
    """

    def __init__(self, model: Any, chat: Any) -> None:
        self.model, self.chat = model, chat
        self._inputs_of, self._lock, self._asking = chat.inputs_of(model), threading.Lock(), threading.local()
        self._folder = tempfile.TemporaryDirectory(prefix="tunesmith-pictures-")
        self.blind = ""  #: why no pictures are read
        model.get_decoder().register_forward_pre_hook(self._met, with_kwargs=True)

    @property
    def token(self) -> int:
        """Id of the token that stands for a piece of a picture."""
        return int(self.chat.tokenizer.convert_tokens_to_ids(self.chat.processor.image_token))

    def close(self) -> None:
        self._folder.cleanup()

    def prompt(self, text: str, pictures: Sequence[bytes]) -> tuple[list[int], Seen | None]:
        """Tokens of a rendered prompt, and what they are to the decoder; None without pictures.

        Tokens that stand for pictures are negative numbers made from the picture, so that prompts are told apart by what they show.

        Raises:
            UserError: TS-DATA-060 and -062 for a picture or a text that can't be read.
        """
        return self.read(text, pictures, self._prompt)

    def read(self, text: str, pictures: Sequence[bytes], use: Callable[[Any], T]) -> T:
        """What `use` makes of a `TokenSequence` whose media are in files meanwhile.

        Raises:
            UserError: as `prompt`.
        """
        with self._lock:
            files = [_stored(data, Path(self._folder.name)) for data in pictures]
            try:
                return use(self.chat.prompt(text, [{"type": "image", "path": str(path)} for path in files]))
            finally:
                for path in set(files):
                    path.unlink()

    def given(self, sequence: Any) -> dict[str, torch.Tensor]:
        """What the model is called with for a `TokenSequence` alone."""
        ids, dtype = torch.tensor([list(sequence.tokens)]), self.model.dtype
        inputs = {name: value.to(dtype) if value.is_floating_point() else value for name, value in self._inputs_of(sequence).items()}
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **inputs}
        return {name: value.to(self.model.device) for name, value in given.items()}

    def _prompt(self, sequence: Any) -> tuple[list[int], Seen | None]:
        tokens = list(sequence.tokens)
        for medium in sequence.media:
            tokens[medium.start : medium.stop] = _names(Path(medium.part["path"]).name, medium.stop - medium.start)
        return tokens, self._seen(sequence) if sequence.media else None

    def _seen(self, sequence: Any) -> Seen:
        """
        Raises:
            Unseeable: the decoder is handed more than a flat batch can hold.
        """
        given = self.given(sequence)
        self._asking.now = True
        try:
            with torch.inference_mode():
                self.model.base_model(**given, use_cache=False)
        except _Handed as handed:
            return _seen(handed.given)
        finally:
            self._asking.now = False
        raise Unseeable("its forward pass does not come to its decoder")

    def _met(self, module: Any, arguments: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        if getattr(self._asking, "now", False):
            raise _Handed(given)


def _seen(given: Mapping[str, Any]) -> Seen:
    more = sorted(
        name for name, value in given.items()
        if name not in {"inputs_embeds", "position_ids", *_HARMLESS} and isinstance(value, torch.Tensor | list | tuple | dict)
    )  # fmt: skip
    mask = given.get("attention_mask")
    if isinstance(mask, dict) or (isinstance(mask, torch.Tensor) and mask.dim() != 2):
        more.append("attention_mask")
    if more or given.get("inputs_embeds") is None:
        raise Unseeable(f"its decoder is handed {', '.join(more) or 'no embeddings'}, which can't be batched here")
    positions = given.get("position_ids")
    if positions is not None and positions.dim() == 3:
        return Seen(given["inputs_embeds"][0], positions[-3:, 0])  # four dimensions: the first counts tokens, for masks
    return Seen(given["inputs_embeds"][0], None)


def _stored(data: bytes, folder: Path) -> Path:
    """A file with these bytes, by whose name equal pictures are known."""
    path = folder / hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    return path


def _names(picture: str, count: int) -> list[int]:
    return [-1 - int.from_bytes(hashlib.sha256(f"{picture}/{at}".encode()).digest()[:7], "big") for at in range(count)]
