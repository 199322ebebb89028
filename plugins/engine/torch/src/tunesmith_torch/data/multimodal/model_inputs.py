"""What a model is given of a sequence's pictures and sounds: made when it goes through the model, so that they never lie in memory all."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import Part
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.data.multimodal.limits import MediaLimits
from tunesmith_torch.data.multimodal.media_files import read_frames, read_image, read_sound
from tunesmith_torch.data.packing import size

KEPT_BYTES = 256 * 2**20  # of inputs that are kept for the next time: small data sets are learnt several times
_OF_TEXT = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "position_ids")


class MediaReader:
    """Reads media as a processor takes them.

    Args:
        limits: how much of each is given.
    """

    def __init__(self, processor: Any, limits: MediaLimits) -> None:
        self.processor, self.limits = processor, limits
        self.kinds = [
            kind for kind, part in (("image", "image_processor"), ("audio", "feature_extractor"), ("audio", "audio_processor"))
            if getattr(processor, part, None) is not None and getattr(processor, f"{kind}_token", None)
        ]  # fmt: skip
        self._lengths: dict[str, int] = {}

    def stands(self, part: Part) -> tuple[str, int]:
        """What a part is to the model and how many of it: a video is its pictures.

        Raises:
            UserError: TS-DATA-032 when the model takes no such thing.
        """
        kind = "image" if part["type"] == "video" else part["type"]
        if kind not in self.kinds:
            raise UserError(
                "TS-DATA-032", f"The row has a part of type {part['type']}, which the model does not take",
                why=f"Its processor takes text and {' and '.join(self.kinds) or 'nothing else'}.",
                fix="Use a model that does, or leave such rows out.",
            )  # fmt: skip
        if part["type"] != "video":
            return kind, 1
        place = part.get("path", "")
        if place not in self._lengths:
            self._lengths[place] = len(read_frames(part, self.limits))
        return kind, self._lengths[place]

    def arguments(self, parts: Sequence[Part]) -> dict[str, Any]:
        """The processor's arguments `images` and `audio`, for one text."""
        images: list[Any] = []
        sounds: list[Any] = []
        for part in parts:
            if part["type"] == "audio":
                sounds.append(read_sound(part, self._rate(), self.limits))
            else:
                images += read_frames(part, self.limits) if part["type"] == "video" else [read_image(part, self.limits)]
        given: dict[str, Any] = {"images": [images]} if images else {}
        return given | ({"audio": sounds, "sampling_rate": self._rate()} if sounds else {})

    def placeholders(self, parts: Sequence[Part]) -> str:
        """A text that holds nothing but what stands for the parts."""
        stands = [self.stands(part) for part in parts]
        return "".join(getattr(self.processor, f"{kind}_token") * count for kind, count in stands)

    def _rate(self) -> int:
        hearing = getattr(self.processor, "feature_extractor", None) or self.processor.audio_processor
        return int(hearing.sampling_rate)


class MediaInputs:
    """Callable: a sequence -> what the model takes beside its tokens, on the CPU.

    Args:
        model: asked which arguments it takes.
    """

    def __init__(self, reader: MediaReader, model: Any, kept_bytes: int = KEPT_BYTES) -> None:
        self.reader, self.kept_bytes = reader, kept_bytes
        self._taken = set(inspect.signature(model.base_model.forward).parameters)
        self._kept: OrderedDict[tuple[str, ...], Mapping[str, torch.Tensor]] = OrderedDict()

    def __call__(self, sequence: TokenSequence) -> Mapping[str, torch.Tensor]:
        end = size(sequence)
        parts = [medium.part for medium in sequence.media if medium.stop <= end]
        if not parts:
            return {}
        inputs = dict(self._of(parts))
        if "mm_token_type_ids" in self._taken:
            kinds = self.reader.processor.create_mm_token_type_ids([list(sequence.tokens[:end])])
            inputs["mm_token_type_ids"] = torch.tensor(kinds)
        return inputs

    def _of(self, parts: Sequence[Part]) -> Mapping[str, torch.Tensor]:
        key = tuple(part["path"] for part in parts)
        if key not in self._kept:
            self._kept[key] = self._processed(parts)
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > self.kept_bytes:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _processed(self, parts: Sequence[Part]) -> Mapping[str, torch.Tensor]:
        reader = self.reader
        given = reader.processor(text=[reader.placeholders(parts)], **reader.arguments(parts), return_tensors="pt")
        return {name: value for name, value in given.items() if name in self._taken and name not in _OF_TEXT}


def _bytes(inputs: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in inputs.values())
