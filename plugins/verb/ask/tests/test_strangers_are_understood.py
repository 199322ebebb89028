"""A stranger's adapter and card are understood in a sentence, without a line here: their manifests say what they are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.plugins.registry import Registry
from tunesmith_ask.rules.sentence import read
from tunesmith_ask.vocabulary import Vocabulary

ANGLE = {"type": "number", "minimum": 0, "maximum": 90, "default": 4, "aliases": ["tilt_angle"]}


@pytest.fixture
def known(registry) -> Vocabulary:
    lora, cuda = registry.providers("adapter")["lora"], registry.providers("device_backend")["cuda"]
    tilt = replace(lora, name="tilt-shift", distribution="acme-tilt", schema={"type": "object", "properties": {"angle": ANGLE}})
    slab = replace(cuda, name="slab", distribution="acme-tilt", facts={"cards": {"Slab 9000": {"mib": 65536}}})
    whose = next(plugin for plugin in registry.plugins if plugin.distribution == lora.distribution)
    made = replace(whose, distribution="acme-tilt", providers=(tilt, slab), kinds=(), commands=(), events=())
    return Vocabulary.of(Registry([*registry.plugins, made]))


@pytest.mark.parametrize(
    "sentence", ["tilt shift with a tilt angle of 12 on rows.jsonl, three Slab 9000", "用 rows.jsonl 做 Tilt-Shift,angle 12,三张 slab-9000"]
)
def test_what_its_manifest_names_is_found(sentence: str, known):
    found = read(sentence, known, Path())
    assert (found.named, found.settings, found.on) == ({"adapter": "tilt-shift"}, {"angle": 12}, "3xSlab 9000")
    assert found.unknown == ()


def test_without_it_the_words_are_not_understood(registry):
    found = read("tilt shift on rows.jsonl", Vocabulary.of(registry), Path())
    assert (found.named, found.unknown) == ({}, ("tilt", "shift"))
