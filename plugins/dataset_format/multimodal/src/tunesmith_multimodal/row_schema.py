"""JSON Schemas of the rows. A column that belongs to another format is null here, so that no row fits two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_messages.api import TEXT_OR_NULL

_TEXT = {"type": "string", "minLength": 1}
_NULL = {"type": "null"}
_ONE = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]}
_MEDIA = {"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE, "minItems": 1}], "format": "media"}
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4}
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, _NULL]}
_ELSEWHERE = ("messages", "conversations", "instruction", "completion", "chosen")


def _schema(
    medium: str, texts: Sequence[str], others: Mapping[str, Any], *, absent: Sequence[str], examples: Sequence[Any]
) -> dict[str, Any]:  # fmt: skip
    return {
        "type": "object",
        "required": [medium, *texts],
        "properties": {
            medium: _MEDIA, **dict.fromkeys(texts, _TEXT), **others, "system": TEXT_OR_NULL, **dict.fromkeys([*_ELSEWHERE, *absent], _NULL),
        },
        "examples": list(examples),
    }  # fmt: skip


_ANSWER = {"anyOf": [_TEXT, _NULL]}
_ANSWERS = {
    "anyOf": [
        {"type": "array", "items": {"anyOf": [_TEXT, {"type": "object", "required": ["answer"], "properties": {"answer": _TEXT}}]}},
        _NULL,
    ]
}
_QUESTION = {"question": TEXT_OR_NULL}

VQA = _schema(
    "image", ["question"], {"answer": _ANSWER, "answers": _ANSWERS}, absent=["caption", "text", "bbox"],
    examples=[
        {"image": "street.jpg", "question": "What colour is the bus?", "answer": "Red."},
        {"image": "street.jpg", "question": "What colour is the bus?", "answers": ["red", "dark red", "red"]},
    ],
)  # fmt: skip
CAPTIONING = _schema(
    "image", ["caption"], _QUESTION, absent=["text", "bbox", "answer", "answers"],
    examples=[{"image": "street.jpg", "caption": "A red bus in a narrow street."}],
)  # fmt: skip
OCR = _schema(
    "image", ["text"], _QUESTION, absent=["caption", "bbox", "answer", "answers"], examples=[{"image": "sign.png", "text": "No parking"}]
)
GROUNDING = _schema(
    "image", ["phrase"],
    {
        "bbox": {"anyOf": [_NUMBERS, {"type": "array", "items": _NUMBERS, "minItems": 1}]}, "bbox_format": {
            "anyOf": [{"type": "string", "enum": ["xyxy", "xywh"]}, _NULL]}, "width": _SIZE, "height": _SIZE, **_QUESTION,
    },
    absent=["caption", "text", "answer", "answers"],
    examples=[{"image": "street.jpg", "phrase": "the red bus", "bbox": [12, 40, 220, 180], "width": 640, "height": 480}],
)  # fmt: skip
GROUNDING["required"].append("bbox")
TRANSCRIPTION = _schema("audio", ["text"], _QUESTION, absent=["image"], examples=[{"audio": "hello.wav", "text": "Hello there."}])
