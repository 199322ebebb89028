from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.provider import Input, Need, Slot
from tunesmith.errors import UserError
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith_sdk.manifest.text import manifest_of

words = st.text(min_size=1, max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
tables = st.dictionaries(st.text(), json_values, max_size=4)
tuples = st.lists(st.text(), max_size=3).map(tuple)
records = st.builds(
    ProviderRecord,
    kind=words,
    name=words,
    summary=st.text(),
    target=words,
    distribution=st.just("acme-tilt"),
    version=st.just("1.0"),
    api=st.integers(0, 9),
    settings=st.text(),
    schema=tables,
    accepts=tuples,
    produces=tuples,
    capabilities=st.dictionaries(st.text(), st.sampled_from(["full", "partial", "none", "unknown"])),
    limits=st.dictionaries(st.text(), st.text()),
    needs=st.lists(st.builds(Need, st.text(), st.text(), st.text(), tables), max_size=2).map(tuple),
    facts=tables,
    estimator=st.text(),
    priority=st.integers(-9, 9),
    secrets=tuples,
    main_kind=st.text(),
    many=st.booleans(),
    slots=st.lists(st.builds(Slot, words, words, st.text(), st.text()), max_size=2).map(tuple),
    inputs=st.lists(st.builds(Input, words, st.text(), tuples, st.text(), required=st.booleans()), max_size=2).map(tuple),
    produces_of=st.text(),
    converts=st.sampled_from(["", "insert", "propose"]),
    service=st.booleans(),
    promote=st.booleans(),
)
plugins = st.builds(
    Plugin,
    st.just("acme-tilt"),
    st.just("1.0"),
    words,
    st.lists(records, max_size=3).map(tuple),
    events=tuples,
    commands=st.lists(st.tuples(words, st.text(), words), max_size=2).map(tuple),
    runtime=tuples,
)


@given(plugins)
def test_a_plugin_comes_back_from_its_manifest_as_it_was(plugin: Plugin):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plugin.toml")
        path.write_text(manifest_of(plugin), encoding="utf-8", newline="\n")
        assert read_manifest(path) == dataclasses.replace(plugin, path=path)


@given(plugins)
def test_the_same_plugin_gives_the_same_bytes(plugin: Plugin):
    assert manifest_of(plugin) == manifest_of(dataclasses.replace(plugin))


def read(text: str, tmp_path: Path) -> Plugin:
    path = tmp_path / "plugin.toml"
    path.write_text(text)
    return read_manifest(path)


HEAD = 'manifest = 1\ndistribution = "acme-tilt"\nmodule = "acme_tilt.plugin"\n'


def test_keys_of_newer_kernels_are_passed_over(tmp_path: Path):
    text = HEAD + 'news = 1\n[[providers]]\nkind = "adapter"\nname = "tilt"\nsummary = "s"\ntarget = "a:B"\nnews = [1]\n'
    text += 'needs = [{ of = "x", capability = "y", why = "z", news = 1 }]\n'
    assert read(text, tmp_path).providers[0].needs == (Need("x", "y", "z"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "not valid TOML"),
        ("", "`manifest` is missing; `distribution` is missing; `module` is missing"),
        (HEAD.replace("1", "99", 1), "has layout 99"),
        (HEAD + "providers = 3", "`providers` should be a list, got 3"),
        (
            HEAD + '[[providers]]\nkind = "adapter"\nname = "tilt"\nsummary = 1\ntarget = "x:Y"',
            "`providers[0].summary` should be a string, got 1",
        ),
        (HEAD + '[[providers]]\nkind = "adapter"\nname = ""\nsummary = ""\ntarget = "x:Y"', "`providers[0].name` should not be empty"),
    ],
)
def test_what_is_no_manifest_is_a_coded_error_that_says_where(text: str, said: str, tmp_path: Path):
    with pytest.raises(UserError, match="TS-PLUGIN-004") as error:
        read(text, tmp_path)
    assert said in error.value.what
    assert "plugin.toml" in error.value.what


def test_a_manifest_that_is_not_there_is_a_coded_error(tmp_path: Path):
    with pytest.raises(UserError, match="TS-PLUGIN-004"):
        read_manifest(tmp_path / "plugin.toml")


@given(st.dictionaries(st.sampled_from(["manifest", "distribution", "module", "providers", "events", "commands"]), json_values))
def test_no_content_whatever_raises_anything_but_a_coded_error(data: dict):
    from tunesmith_sdk.manifest import toml_text

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plugin.toml")
        path.write_text(toml_text.dumps(data), encoding="utf-8")
        with contextlib.suppress(UserError):
            read_manifest(path)
