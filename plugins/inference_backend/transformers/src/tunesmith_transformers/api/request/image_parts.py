"""Pictures of a request: sent within it as data URLs, and checked."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from typing import Any

from tunesmith_transformers.api.errors import ApiError

KINDS = ("image_url", "input_image")  #: types of parts, of the chat and of the Responses API
PIXELS = 40_000_000  # a picture of more is refused before it is unpacked: a few kilobytes can hold gigabytes
_DATA = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


def image_bytes(part: Mapping[str, Any], where: str) -> bytes:
    """The file that a part holds.

    Raises:
        ApiError: 400 for an address, which is not fetched; for what is no data URL, no picture, or too large a one.
    """
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, Mapping) else given
    if not isinstance(url, str):
        raise ApiError(400, f"`{where}` lacks its `image_url`.", param=where)
    if not (head := _DATA.match(url)):
        what = "an address, and this server fetches nothing" if "://" in url[:16] else "no data URL of a picture"
        raise ApiError(400, f"`{where}.image_url` is {what}: send the picture itself, as data:image/png;base64,...", param=where)
    try:
        data = base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(400, f"`{where}.image_url` is no valid base64.", param=where) from None
    _check(data, where)
    return data


def _check(data: bytes, where: str) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            wide, high = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ApiError(400, f"`{where}.image_url` is no picture that can be read.", param=where) from None
    if wide * high > PIXELS:
        raise ApiError(400, f"`{where}.image_url` has {wide} x {high} pixels, and {PIXELS:,} are the most.", param=where)
