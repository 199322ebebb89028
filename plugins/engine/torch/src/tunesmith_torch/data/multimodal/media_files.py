"""Images, sounds and videos of rows, read from their files.

Pictures are read by Pillow, sounds and videos by PyAV; both are imported when the first one is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.contracts import UserError
from tunesmith_data.api import Part
from tunesmith_torch.data.multimodal.limits import MediaLimits


def read_image(part: Part, limits: MediaLimits = MediaLimits()) -> Any:  # noqa: B008  (it can't be changed)
    """The picture as it is looked at (turned as its EXIF says), in RGB; a PIL image."""
    with _reading(part) as path:
        return limits.bounded(_picture(path))


def read_sound(part: Part, rate: int, limits: MediaLimits = MediaLimits()) -> np.ndarray:  # noqa: B008
    """(samples,) float32, one channel, at `rate` a second, of the first stream of sound in the file.

    Raises:
        UserError: TS-DATA-096 for one that is longer than the limits say, of which no more is decoded.
    """
    with _reading(part) as path:
        import av

        pieces: list[np.ndarray] = []
        samples = counted = 0
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            for frame in [*container.decode(audio=0), None]:  # None: what the resampler still holds
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
                samples += sum(len(piece) for piece in pieces[counted:])
                counted = len(pieces)
                limits.check_sound(path.name, samples / rate)
        return np.concatenate(pieces)


def read_frames(part: Part, limits: MediaLimits = MediaLimits()) -> list[Any]:  # noqa: B008
    """Pictures of a video, as many as the limits say.

    A folder of pictures is a video, too, in the order of their names; so is an animated GIF or WebP. A folder has no rate.
    """
    with _reading(part) as path:
        if path.is_dir():
            names = sorted(entry for entry in path.iterdir() if entry.is_file())
            return [limits.bounded(_picture(names[at])) for at in limits.wanted([0.0] * len(names))]
        return _animated(path, limits) or _decoded(path, limits)


def _picture(path: Path) -> Any:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except Image.DecompressionBombError as error:  # Pillow's own bound, of a picture that would fill the memory
        raise ValueError(str(error)) from error


def _animated(path: Path, limits: MediaLimits) -> list[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            times = [0.0]
            for at in range(1, getattr(image, "n_frames", 1)):
                image.seek(at - 1)
                times.append(times[-1] + image.info.get("duration", 0) / 1000)
            taken = []
            for at in limits.wanted(times):
                image.seek(at)
                taken.append(limits.bounded(image.convert("RGB")))
            return taken
    except UnidentifiedImageError:
        return []


def _decoded(path: Path, limits: MediaLimits) -> list[Any]:
    import av

    def frames() -> Iterator[Any]:
        with av.open(str(path)) as container:
            yield from container.decode(video=0)

    wanted = set(limits.wanted([float(frame.time or 0.0) for frame in frames()]))
    return [limits.bounded(frame.to_image()) for at, frame in enumerate(frames()) if at in wanted]


@contextmanager
def _reading(part: Part) -> Iterator[Path]:
    """The file's path; what goes wrong while it is read becomes TS-DATA-060."""
    if "path" not in part:
        raise _unreadable(part, part.get("url", "")[:80], "It is an address, and training goes to no network.")
    try:
        yield Path(part["path"])
    except ImportError as error:
        raise UserError(
            "TS-TRAIN-061", f"To read a part of type {part['type']} the package `{error.name}` has to be installed",
            fix='Install it: pip install "tunesmith-torch[runtime]".',
        ) from error  # fmt: skip
    except (OSError, ValueError, IndexError, EOFError, SyntaxError) as error:  # PIL and FFmpeg raise all of these for broken files
        raise _unreadable(part, Path(part["path"]).name, str(error).splitlines()[0] if str(error) else "") from error


def _unreadable(part: Part, name: str, why: str) -> UserError:
    return UserError("TS-DATA-060", f"The {part['type']} {name} can't be read", why=why, fix="Fix the file, or leave the row out.")
