"""Text up to a tag, as it grows."""

from __future__ import annotations


def overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that `tag` begins with, short of the whole tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)


def cut(text: str, tag: str) -> tuple[str, str | None]:
    """(what may be shown of `text`, what follows the tag in it; None where it is not there yet).

    Spaces before a tag belong to it, so those at the end of the text are held back: they and what may be the tag's beginning are the rest.
    """
    at = text.find(tag)
    if at >= 0:
        return text[:at].rstrip(), text[at + len(tag) :]
    return text[: len(text) - overlap(text, tag)].rstrip(), None
