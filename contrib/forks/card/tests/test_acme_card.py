from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

PIPELINE = "name: p\nmodel: file://model\nsteps:\n  card: {export: {model-card: {title: Ours}}, from: model}\n"
OVERRIDE = '[plugins.override]\n"exporter.model-card" = "acme-card"\n'


def test_without_a_word_in_the_configuration_two_of_a_name_are_an_error(house):
    place = house("card", pipeline=PIPELINE)
    told = place.tunesmith("plan", status=2)
    assert "TS-PLUGIN-003" in told
    assert "acme-card" in told


def test_the_configuration_puts_ours_in_the_place_of_the_public_one(house):
    place = house("card", pipeline=PIPELINE, config=OVERRIDE)
    assert place.states()["tunesmith-model-card"] == "overridden"
    place.tunesmith("run")
    (page,) = (place.folder / ".tunesmith" / "store").rglob("README.md")
    text = page.read_text()
    assert text.startswith("# Ours\n"), "what the public card does, it still does"
    assert text.endswith("Owner: platform team.\n")
