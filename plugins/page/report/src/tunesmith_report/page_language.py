"""The page in the reader's language: its texts are translated as a terminal's are, what a model said or a file holds is not."""

from __future__ import annotations

import html
import re

from tunesmith_cli.api import language, translated

_TAG = re.compile(r"(<[^>]+>)")
_VERBATIM = ("style", "pre", "code", 'table class="samples"')  # what stands in these is not ours


def in_the_readers_language(page: str) -> str:
    """The page with its texts translated; as it is where that is English, or nobody has translated them."""
    if language() == "en":
        return page
    within, parts = "", _TAG.split(page.replace('<html lang="en">', f'<html lang="{language()}">', 1))
    for index, part in enumerate(parts):
        if part.startswith("<"):
            if within and part == f"</{within.split()[0]}>":
                within = ""
            within = within or next((tag for tag in _VERBATIM if part[1:].startswith(tag)), "")
        elif not within and part.strip():
            text = html.unescape(part)
            parts[index] = part if (told := translated(text)) == text else html.escape(told, quote=False)
    return "".join(parts)
