"""The language that texts are shown in: ``TUNESMITH_LANG``, else the locale of the terminal."""

from __future__ import annotations

import os

ENGLISH = "en"
_VARIABLES = ("TUNESMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts, as gettext has it


def locale_name() -> str:
    """As it is written in names of folders: ``zh_CN``; `ENGLISH` where nothing else is asked for."""
    value = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    name = value.partition(".")[0].partition("@")[0].replace("-", "_")
    return ENGLISH if name in ("", "C", "POSIX") or language_of(name) == ENGLISH else name


def language() -> str:
    """Its language alone: ``zh``."""
    return language_of(locale_name())


def language_of(name: str) -> str:
    return name.partition("_")[0].lower()
