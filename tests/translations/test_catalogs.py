"""Catalogues hold what the code says, are compiled, and lack no more than they did (`python tools/translations.py`)."""

from __future__ import annotations

import json
import re

import pytest
import translations

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
    """Whoever translates some lowers the bound; nobody raises it."""
    lacking = translations.missing(coverage[1][language][area])
    assert len(lacking) <= BOUNDS[language][area], lacking[:10]


def test_a_translation_has_the_placeholders_of_its_text_and_no_others():
    wrong = []
    for language in translations.LANGUAGES:
        for package in translations.packages():
            _, catalog = translations.catalog_of(package, language)
            wrong += [m.id for m in catalog if m.id and m.string and set(_PLACE.findall(m.id)) != set(_PLACE.findall(m.string))]
    assert not wrong


def test_what_is_typed_or_is_a_name_stays_as_it_is():
    """Commands and names between backticks are not translated."""
    wrong = []
    for language in translations.LANGUAGES:
        for package in translations.packages():
            _, catalog = translations.catalog_of(package, language)
            wrong += [m.id for m in catalog if m.id and m.string and _ticked(str(m.id)) != _ticked(str(m.string))]
    assert not wrong


def _ticked(text: str) -> list[str]:
    return sorted(re.findall("`[^`]*`", text))
