"""Catalogues hold what the code says, are compiled, and lack no more than they did (`python tools/translations.py`)."""

from __future__ import annotations

import io
import json
import re

import pytest
import translations
from babel.messages.pofile import read_po

BOUNDS = json.loads(translations.BOUNDS.read_text(encoding="utf-8"))
_PLACE = re.compile(r"\{\w+\}")


@pytest.fixture(scope="module")
def coverage():
    """Catalogues as they should be, and what of each area is there: seconds of reading, which no collection of tests has to wait for."""
    return translations.coverage()


def test_catalogues_are_compiled_as_they_stand():
    old = []
    for path in translations.ROOT.glob("*/*/*/src/*/locale/*/LC_MESSAGES/*.po"):
        if path.with_suffix(".mo").read_bytes() != translations.mo_bytes(path.read_bytes()):
            old.append(str(path.relative_to(translations.ROOT)))
    assert not old, "python tools/translations.py"


def test_the_wizards_catalogue_has_all_that_it_says(coverage):
    files, _ = coverage
    mine = [path for path in files if "tunesmith_wizard" in path.parts]
    assert len(mine) == 2 * len(translations.LANGUAGES)
    assert not [path.name for path in mine if path.read_bytes() != files[path]], "python tools/translations.py"


@pytest.mark.parametrize("area", translations.AREAS)
@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_no_area_lacks_more_than_it_did(language: str, area: str, coverage):
    """Whoever translates some lowers the bound; nobody raises it. What it leaves open is room for texts that several add at once."""
    lacking = translations.missing(coverage[1][language][area])
    how = f"run python tools/translations.py, then write the `msgstr` of these in each package's locale/{language}, and run it again"
    assert len(lacking) <= BOUNDS[language][area], f"{how} (the words to use: docs/glossary-{language}.md): {lacking[:10]}"


@pytest.fixture(scope="module")
def translated(coverage):
    """(package, text, translation) of all that is translated."""
    found = []
    for path, content in coverage[0].items():
        if path.suffix == ".po":
            catalog = read_po(io.BytesIO(content))
            found += [(path.parts[-5], str(message.id), str(message.string)) for message in catalog if message.id and message.string]
    return found


def test_a_translation_has_the_placeholders_of_its_text_and_no_others(translated):
    assert not [text for _, text, said in translated if set(_PLACE.findall(text)) != set(_PLACE.findall(said))]


def test_what_is_typed_or_is_a_name_stays_as_it_is(translated):
    """Commands and names between backticks, and options, are not translated."""
    assert not [text for _, text, said in translated if _ticked(text) != _ticked(said) or _options(text) != _options(said)]


def test_punctuation_within_chinese_is_that_of_chinese(translated):
    assert not [said for _, _, said in translated if re.search("[\u4e00-\u9fff][,;:?!]( |$)", said)]


def test_one_text_has_one_translation(translated):
    """Catalogues are read as one: of two translations it would depend on what is installed which one is shown."""
    said: dict[str, dict[str, str]] = {}
    for package, text, translation in translated:
        said.setdefault(text, {}).setdefault(translation, package)
    assert not {text: of for text, of in said.items() if len(of) > 1}, (
        "write one of them in all packages, then python tools/translations.py"
    )


def _options(text: str) -> set[str]:
    return set(re.findall("--[a-z][a-z-]+", text))


def _ticked(text: str) -> list[str]:
    return sorted(re.findall("`[^`]*`", text))
