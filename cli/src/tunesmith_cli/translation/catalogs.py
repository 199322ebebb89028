"""Translations: each package may bring some beside its manifest, as ``locale/<language>/LC_MESSAGES/tunesmith.mo`` (gettext's own form).

English stands in the code and is what programs, logs and stored runs hold; it is translated where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from tunesmith_cli.translation.language import ENGLISH, language_of, locale_name
from tunesmith_cli.translation.templates import Templates

DOMAIN = "tunesmith"


def gettext(message: str, **values: object) -> str:
    """A text of the code's own with its placeholders filled in: ``gettext("{count} rows", count=3)``."""
    found = _catalog(locale_name()).get(message, message)
    return found.format(**values) if values else found


def translated(text: str) -> str:
    """A finished text: as it stands in a catalogue, or as one of the templates there (``there is no command `{typed}```) filled in.
    One that nobody translated is given back as it is."""
    name = locale_name()
    if name == ENGLISH or not text.strip():
        return text
    return _templates(name).translated(text)


@lru_cache(maxsize=8)
def _templates(name: str) -> Templates:
    return Templates(_catalog(name))


@lru_cache(maxsize=8)
def _catalog(name: str) -> Mapping[str, str]:
    """English -> translation, of all that is installed; of two translations of one text the first counts."""
    found: dict[str, str] = {}
    for folder in folders() if name != ENGLISH else ():
        for locale in dict.fromkeys((language_of(name), name)):
            file = folder / locale / "LC_MESSAGES" / f"{DOMAIN}.mo"
            if file.is_file():
                found = {**read(file), **found}
    return found


def read(file: Path) -> Mapping[str, str]:
    """A compiled catalogue. One that is broken translates nothing."""
    from gettext import GNUTranslations

    try:
        with file.open("rb") as stream:
            told = vars(GNUTranslations(stream))["_catalog"]
    except (OSError, ValueError, LookupError):
        return {}
    return {key: text for key, text in told.items() if isinstance(key, str) and key and text}


def folders() -> Iterator[Path]:
    """Where translations may lie: in the kernel, in the command line and beside each plugin's manifest."""
    import tunesmith

    yield Path(tunesmith.__file__).parent / "locale"
    yield Path(__file__).parents[1] / "locale"
    try:
        from tunesmith.config import load_config
        from tunesmith.plugins.registry import load_registry

        plugins = load_registry(load_config()).plugins
    except Exception:  # texts are shown whatever else is wrong
        return
    yield from (plugin.path.parent / "locale" for plugin in plugins if plugin.state == "active" and plugin.path)
