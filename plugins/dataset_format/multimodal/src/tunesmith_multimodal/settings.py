"""Settings of the formats, for a step `prepare` of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PromptSettings:
    prompt: str = setting("", "what the user asks where a row has no `question`; empty: a sentence of the format's own")


@dataclass(frozen=True)
class GroundingSettings:
    prompt: str = setting("", "what the user asks where a row has no `question`, with {phrase} in it; empty: a sentence of its own")
    boxes: str = setting(
        "pixels", "how boxes are written. pixels: JSON in pixels of the picture, as Qwen2.5-VL; thousandths: the same in thousandths of "
        "width and height, as Qwen3-VL and InternVL; tokens: between <|box_start|> and <|box_end|> in thousandths, as Qwen2-VL",
        choices=("pixels", "thousandths", "tokens"),
    )  # fmt: skip
