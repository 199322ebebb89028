"""Where in a picture something is: a phrase and its boxes, written as model families write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_multimodal.question_answer import exchange
from tunesmith_multimodal.settings import GroundingSettings

Box = tuple[float, float, float, float]  #: left, top, right, bottom, in pixels


class Places:
    """``{"image", "phrase", "bbox"}``: the phrase is asked for, the answer is its box, or its boxes."""

    def __init__(self, settings: GroundingSettings = GroundingSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings = settings

    def convert(self, row: Mapping[str, Any]) -> Row:
        phrase, boxes = row["phrase"], _boxes(row)
        prompt = self.settings.prompt or "Where is {phrase}? Answer with bounding boxes."
        question = row.get("question") or prompt.replace("{phrase}", phrase)
        if self.settings.boxes != "pixels":
            boxes = [_thousandths(box, row) for box in boxes]
        if self.settings.boxes == "tokens":
            written = "".join(f"<|box_start|>({a},{b}),({c},{d})<|box_end|>" for a, b, c, d in boxes)
            return exchange(row, "image", question, f"<|object_ref_start|>{phrase}<|object_ref_end|>{written}")
        return exchange(row, "image", question, json.dumps([{"bbox_2d": list(box), "label": phrase} for box in boxes], ensure_ascii=False))


def _boxes(row: Mapping[str, Any]) -> list[Box]:
    given = row["bbox"] if isinstance(row["bbox"][0], list) else [row["bbox"]]
    return [_box(numbers, row.get("bbox_format") or "xyxy") for numbers in given]


def _box(numbers: Sequence[float], format: str) -> Box:
    if len(numbers) != 4:
        raise _wrong(numbers, f"A box has four numbers, this one has {len(numbers)}.")
    left, top, right, bottom = numbers
    if format == "xywh":
        right, bottom = left + right, top + bottom
    if not (0 <= left < right and 0 <= top < bottom):
        raise _wrong(numbers, "It ends before it begins, or outside the picture.")
    return left, top, right, bottom


def _thousandths(box: Box, row: Mapping[str, Any]) -> Box:
    width, height = row.get("width"), row.get("height")
    if not width or not height:
        raise UserError(
            "TS-DATA-064", "`width` and `height` of the picture are missing", why="The setting `boxes` asks for shares of them.",
            fix="Add them to the row, or set `boxes: pixels`.",
        )  # fmt: skip
    if box[2] > width or box[3] > height:
        raise _wrong(box, f"The picture has {width} x {height} pixels.")
    left, top, right, bottom = (round(1000 * at / (height if number % 2 else width)) for number, at in enumerate(box))
    return left, top, right, bottom


def _wrong(numbers: Sequence[float], why: str) -> UserError:
    return UserError("TS-DATA-064", f"`bbox` {list(numbers)} is no box", why=why, fix="Correct it, or say `bbox_format`: xyxy or xywh.")
