"""Models that loaders and files describe: figures that agree with each other, and broken files that are told."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.config import load_config
from tunesmith.errors import UserError
from tunesmith.plugins.registry import load_registry
from tunesmith_models import ModelShape
from tunesmith_recommend.catalog.catalog_file import read_catalog
from tunesmith_recommend.catalog.installed_models import installed_models

MODELS, WARNINGS = installed_models(load_registry(load_config()))
ENTRY = {"uri": "shelf://acme-2-1b", "parameters": 1.24, "config": {"hidden_size": 2048}}
FAMILY = {"family": "Acme 2", "languages": ["en", "de"], "source": "the card", "config": {"model_type": "llama", "dtype": "float32"}}


def test_what_is_bundled_is_whole():
    assert WARNINGS == []
    assert len(MODELS) > 40
    assert Counter(model.uri for model in MODELS).most_common(1)[0][1] == 1


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.uri)
def test_its_published_size_is_what_its_configuration_comes_to(model):
    """Of one that sees, the language model has less: the rest is in its files."""
    shape = ModelShape.from_config(model.config)
    if set(model.modalities) == {"text"}:
        assert shape is not None
        assert shape.parameters == pytest.approx(model.parameters, rel=0.015)
    elif shape is not None:
        assert shape.parameters < model.parameters


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.uri)
def test_it_says_where_its_figures_are_from_and_under_which_licence_it_is(model):
    assert model.source
    assert model.licence
    assert model.released
    assert model.languages
    assert model.context > 0


def test_there_is_one_for_each_of_what_people_ask_for():
    def some(**wanted):
        return [m for m in MODELS if all(set(value) <= set(getattr(m, name)) for name, value in wanted.items())]

    assert some(domains=["medical"])
    assert some(domains=["code"])
    assert some(modalities=["image"], languages=["zh"])
    assert min(model.parameters for model in MODELS) < 2e8
    assert any(model.uri.startswith("package://") for model in MODELS), "one that needs no hub"


@pytest.fixture
def file(tmp_path: Path):
    def written(*entries: dict, **more: object) -> Path:
        path = tmp_path / "models.json"
        path.write_text(json.dumps({"families": [{**FAMILY, "models": list(entries), **more}]}))
        return path

    return written


def test_a_model_has_what_its_family_says_and_says_the_rest_itself(file):
    one, other = read_catalog(file(ENTRY, {**ENTRY, "uri": "shelf://x", "languages": ["zh"], "bytes": 7}), "acme")
    assert (one.languages, one.config, one.bytes) == (
        ("en", "de"),
        {"model_type": "llama", "dtype": "float32", "hidden_size": 2048},
        4960000000,
    )
    assert (other.languages, other.bytes, other.brought_by) == (("zh",), 7, "acme")


def test_a_file_of_ones_own_counts_before_what_a_loader_says(file, registry):
    known = MODELS[0].uri
    found, _ = installed_models(registry, file({**ENTRY, "uri": known}))
    assert next(model for model in found if model.uri == known).family == "Acme 2"
    assert len(found) == len(MODELS)


@pytest.mark.parametrize("wrong", ["{", '{"families": [{}]}', '{"families": 3}'])
def test_a_broken_file_is_told(tmp_path: Path, wrong: str):
    (tmp_path / "models.json").write_text(wrong)
    with pytest.raises(UserError, match="catalogue of models") as caught:
        read_catalog(tmp_path / "models.json", "acme")
    assert caught.value.code == "TS-RECOMMEND-002"


def test_a_word_that_means_nothing_is_told(file):
    with pytest.raises(UserError, match="lisence"):
        read_catalog(file({**ENTRY, "lisence": "MIT"}), "acme")


def test_a_strangers_broken_catalogue_leaves_the_others(registry, tmp_path: Path):
    loaders = dict(registry.providers("model_loader"))
    record = next(one for one in loaders.values() if one.facts.get("models"))
    loaders["acme"] = replace(record, name="acme", distribution="acme", facts={"models": "gone.json"})
    plugins = [*registry.plugins, SimpleNamespace(distribution="acme", path=tmp_path / "plugin.toml")]
    found, warnings = installed_models(SimpleNamespace(plugins=plugins, providers=lambda kind: loaders))
    assert len(found) == len(MODELS)
    assert "acme" in warnings[0]
    assert "gone.json" in warnings[0]
