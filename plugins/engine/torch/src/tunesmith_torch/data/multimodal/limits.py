"""How much of pictures, sounds and videos a model is given."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

from tunesmith.contracts import UserError


class MediaLimits(NamedTuple):
    """
    Args:
        video_maxlen: most pictures that are taken of a video, evenly from its first to its last.
        video_fps: pictures that are taken of each second of a video; 0: as many as `video_maxlen` says, whatever its length.
        image_max_pixels: a picture with more, one of a video too, is made smaller; 0: none is.
        audio_max_seconds: a longer sound is refused; 0: none is.
    """

    video_maxlen: int = 8
    video_fps: float = 0.0
    image_max_pixels: int = 0
    audio_max_seconds: float = 0.0

    @classmethod
    def of(cls, settings: Any) -> MediaLimits:
        """Those that the settings of training say."""
        return cls(*(getattr(settings, name) for name in cls._fields))

    def wanted(self, times: Sequence[float]) -> list[int]:
        """Which pictures of a video are taken, by the seconds at which each is shown; without a rate all are alike."""
        taken = list(range(len(times)))
        if self.video_fps and len(times) > 1 and times[-1] > times[0]:
            taken, due = [], times[0]
            for at, shown in enumerate(times):
                if shown + 1e-6 >= due:
                    taken.append(at)
                    due = times[0] + (int((shown - times[0]) * self.video_fps + 1e-6) + 1) / self.video_fps
        return [taken[at] for at in evenly(len(taken), self.video_maxlen)]

    def bounded(self, picture: Any) -> Any:
        """The picture, smaller in both directions alike where it has too many pixels."""
        width, height = picture.size
        if not self.image_max_pixels or width * height <= self.image_max_pixels:
            return picture
        share = sqrt(self.image_max_pixels / (width * height))
        return picture.resize((max(1, int(width * share)), max(1, int(height * share))))

    def check_sound(self, name: str, seconds: float) -> None:
        """
        Raises:
            UserError: TS-DATA-096 for one that is too long.
        """
        if self.audio_max_seconds and seconds > self.audio_max_seconds:
            raise UserError(
                "TS-DATA-096", f"The sound {name} is longer than {self.audio_max_seconds:g} seconds",
                why="`audio_max_seconds` says how long one may be; to cut it would leave what is said of it untrue.",
                fix="Cut it into pieces, each with its own text, raise the setting, or leave the row out.",
            )  # fmt: skip


def evenly(length: int, most: int) -> list[int]:
    """Up to `most` indices below `length`, the first and the last among them."""
    count = min(length, most)
    return [round(at * (length - 1) / max(count - 1, 1)) for at in range(count)]
