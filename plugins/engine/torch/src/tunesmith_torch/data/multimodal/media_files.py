"""Images, sounds and videos of rows, read from their files.

Pictures are read by Pillow, sounds and videos by PyAV; both are imported when the first one is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.contracts import UserError
from tunesmith_data.api import Part


def read_image(part: Part) -> Any:
    """The picture as it is looked at (turned as its EXIF says), in RGB; a PIL image."""
    with _reading(part) as path:
        return _picture(path)


def read_sound(part: Part, rate: int) -> np.ndarray:
    """(samples,) float32, one channel, at `rate` a second, of the first stream of sound in the file."""
    with _reading(part) as path:
        import av

        pieces: list[np.ndarray] = []
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            for frame in [*container.decode(audio=0), None]:  # None: what the resampler still holds
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        return np.concatenate(pieces)


def read_frames(part: Part, most: int) -> list[Any]:
    """Up to `most` pictures of a video, evenly taken from its first to its last one.

    A folder of pictures is a video, too, in the order of their names; so is an animated GIF or WebP.
    """
    with _reading(part) as path:
        if path.is_dir():
            names = sorted(entry for entry in path.iterdir() if entry.is_file())
            return [_picture(names[at]) for at in evenly(len(names), most)]
        return _animated(path, most) or _decoded(path, most)


def evenly(length: int, most: int) -> list[int]:
    """Up to `most` indices below `length`, the first and the last among them."""
    count = min(length, most)
    return [round(at * (length - 1) / max(count - 1, 1)) for at in range(count)]


def _picture(path: Path) -> Any:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _animated(path: Path, most: int) -> list[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            taken = []
            for at in evenly(getattr(image, "n_frames", 1), most):
                image.seek(at)
                taken.append(image.convert("RGB"))
            return taken
    except UnidentifiedImageError:
        return []


def _decoded(path: Path, most: int) -> list[Any]:
    import av

    def frames() -> Iterator[Any]:
        with av.open(str(path)) as container:
            yield from container.decode(video=0)

    wanted: Sequence[int] = evenly(sum(1 for _ in frames()), most)
    return [frame.to_image() for at, frame in enumerate(frames()) if at in set(wanted)]


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
