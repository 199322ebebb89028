"""Before a model that sees is served: does it answer about a picture, read in parts beside others, what it answers alone?"""

from __future__ import annotations

import io

import torch

from tunesmith.contracts import UserError
from tunesmith_transformers.model.forward_pass import Chunk, Forward
from tunesmith_transformers.model.loader import unbatchable
from tunesmith_transformers.model.self_check import compare
from tunesmith_transformers.model.vision import Seen, Unseeable, Vision

FAILURES = (Unseeable, UserError, RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError)
WORDS = " red or blue?"


def check_picture(vision: Vision, forward: Forward) -> None:
    """Compare a text after a picture with the model's own eager attention.

    Raises:
        UserError: TS-SERVE-003 if the probabilities differ by more than the dtype explains, or the family can't be read so.
    """
    model = vision.model
    try:
        text, pictures = vision.chat.reader.placeholders([{"type": "image"}]) + WORDS, [_picture()]
        ids, seen = vision.prompt(text, pictures)
        with torch.inference_mode():
            forward.attend("eager")
            alone = vision.read(text, pictures, lambda sequence: model(**vision.given(sequence), use_cache=False).logits[0])
            forward.attend(forward.attention.name)
            together, first = _in_parts(ids, seen, forward)
    except FAILURES as error:
        raise unbatchable(model.config, f"reading a picture failed with {type(error).__name__}: {error}") from error
    compare(model, alone[first:], together, " about a picture")


def _in_parts(ids: list[int], seen: Seen | None, forward: Forward) -> tuple[torch.Tensor, int]:
    """Logits from a place on, of the text in row 1 beside another one, in two parts and at last token by token; and the place."""
    half, last, columns = len(ids) // 2, len(ids) - 2, len(ids)
    forward([Chunk(0, 0, [3] * half), Chunk(1, 0, ids[:half], (), seen)], 0, 2, columns)
    parts = [forward([Chunk(1, half, ids[half:last], range(last - half), seen)], 0, 2, columns).clone()]
    for at in (last, last + 1):
        beside = Chunk(0, half + at - last, [5], (0,))
        parts.append(forward([beside, Chunk(1, at, [ids[at]], (0,), seen)], 2, 2, columns)[1:].clone())
    return torch.cat(parts), half


def _picture() -> bytes:
    """Four squares of four colours."""
    from PIL import Image

    image = Image.new("RGB", (2, 2))
    image.putdata([(200, 30, 30), (30, 30, 200), (240, 240, 30), (30, 160, 60)])
    file = io.BytesIO()
    image.resize((64, 64), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()
