"""What a model URI means is asked in a worker, once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_plans import Place

from tunesmith.contracts.settings import schema_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.model_resolver import ModelResolver
from tunesmith.verbs.records import DownloadSettings
from tunesmith_sdk.testing.recorder import Recorder

SHELF = ProviderRecord(
    "model_loader",
    "shelf",
    "",
    "tiny_providers:Shelf",
    "tiny",
    "1.0",
    facts={"schemes": ["shelf"], "elsewhere": r"(?:https://shelf\.example/)?(\w+/\w+)"},
)
DOWNLOAD = ProviderRecord(
    "verb", "download", "", "tunesmith.verbs.download:run", "tunesmith-core", "0.1.0", settings="tunesmith.verbs.records:DownloadSettings",
    schema=schema_of(DownloadSettings),
)  # fmt: skip


@dataclasses.dataclass
class Loaders:
    records: tuple[ProviderRecord, ...] = (SHELF,)

    def providers(self, kind: str) -> dict[str, ProviderRecord]:
        return {record.name: record for record in self.records if record.kind == kind}

    def verb(self, name: str) -> ProviderRecord:
        return DOWNLOAD

    @property
    def plugins(self) -> tuple[SimpleNamespace, ...]:
        return (SimpleNamespace(providers=self.records),)


def asked(place: Place, loaders: Loaders, uri: str, **more: object) -> bool:
    """Whether resolving started a worker."""
    reporter = Recorder()
    info = ModelResolver(loaders, place, reporter=reporter, **more)(uri)
    assert (info.uri, info.revision, info.size) == (uri, "r1", 3)
    return bool(reporter.of("progress"))


def test_a_uri_is_resolved_once_for_each_loader_version(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    assert asked(place, Loaders(), "shelf://a")
    assert not asked(place, Loaders(), "shelf://a")
    assert asked(place, Loaders(), "shelf://b")
    assert asked(place, Loaders(), "shelf://a", refresh=True)
    assert asked(place, Loaders((dataclasses.replace(SHELF, version="2.0"),)), "shelf://a")
    assert list((place.cache / "questions").iterdir()) == []


def test_a_loader_of_what_may_change_is_asked_every_time(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    volatile = Loaders((dataclasses.replace(SHELF, facts={"schemes": ["shelf"], "volatile": True}),))
    assert [asked(place, volatile, "shelf://a"), asked(place, volatile, "shelf://a")] == [True, True]
    assert not place.home.exists()  # nothing is kept of it


def test_what_the_loader_says_is_passed_on_and_not_kept(tmp_path: Path) -> None:
    resolver = ModelResolver(Loaders(), Place.at(tmp_path))
    for _ in range(2):
        with pytest.raises(UserError, match="TS-MODEL-001: there is no shelf://nothing"):
            resolver("shelf://nothing")


def test_a_loader_is_told_how_plugins_recognise_their_formats(tmp_path: Path) -> None:
    said = {"acme/tilt": {"files": ["tilt.bin"]}}
    writer = dataclasses.replace(SHELF, kind="exporter", name="tilt", facts={"layouts": said})
    info = ModelResolver(Loaders((SHELF, writer)), Place.at(tmp_path))("shelf://layouts")
    assert info.fetch["layouts"] == [said]


def test_a_loader_that_crashes_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(TunesmithError, match="TS-MODEL-012") as caught:
        ModelResolver(Loaders(), Place.at(tmp_path))("shelf://bug")
    assert "a loader's mistake" in caught.value.why


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("shelve://a", "Did you mean `shelf://a`?"),
        ("models/a", "Write `shelf://models/a`."),
        ("https://shelf.example/models/a", "Write `shelf://models/a`."),
        ("a", "Name a directory that exists, or write scheme://name. Schemes: `shelf://`."),
    ],
)
def test_an_unknown_scheme_is_a_mistake_with_a_hint(tmp_path: Path, uri: str, hint: str) -> None:
    with pytest.raises(UserError, match="TS-MODEL-011") as caught:
        ModelResolver(Loaders(), Place.at(tmp_path))(uri)
    assert caught.value.fix == hint
