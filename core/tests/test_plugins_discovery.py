from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import packaging.requirements  # noqa: F401  the tests below take site-packages off the path
import pytest

from tunesmith.config import Config
from tunesmith.plugins import discovery
from tunesmith.plugins.discovery import discover
from tunesmith.policy import Policy
from tunesmith_sdk.distributions.written_plugins import age, write_distribution, write_plugin

TILT = {"kind": "adapter", "name": "tilt"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions, the only one on sys.path."""
    folder = tmp_path / "site"
    folder.mkdir()
    library = os.path.dirname(os.__file__)
    monkeypatch.setattr(
        sys, "path", [str(tmp_path), str(folder), *(path for path in sys.path if path.startswith(library) and "site-" not in path)]
    )
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "home", tmp_path / "cache")


def found(config: Config) -> dict[str, dict]:
    return {entry["distribution"]: entry for entry in discover(config)}


def test_a_plugin_is_found_with_what_its_manifest_says_and_not_imported(site: Path, config: Config):
    path = write_plugin(site, "acme-tilt", "1.2", providers=[TILT])
    write_distribution(site, "unrelated")
    entries = found(config)
    assert list(entries) == ["tunesmith-core", "acme-tilt"]
    tilt = entries["acme-tilt"]
    assert (tilt["version"], tilt["module"], tilt["manifest"]) == ("1.2", "acme_tilt.plugin", str(path))
    assert tilt["data"]["providers"][0]["name"] == "tilt"
    assert not [name for name in sys.modules if name.startswith("acme_tilt")]


def test_the_kernel_is_there_even_if_nothing_is_installed(site: Path, config: Config):
    (entry,) = discover(config)
    assert {p["name"] for p in entry["data"]["providers"] if p["kind"] == "verb"} >= {"download", "evaluate", "quantize"}


def test_a_refused_plugin_is_not_read(site: Path, config: Config):
    write_plugin(site, "acme-tilt", providers=[TILT])
    refusing = Config(config.home, config.cache, (Policy(Path("p"), deny=("acme-*",)),))
    entry = found(refusing)["acme-tilt"]
    assert entry["refused"] == "denied by `acme-*` in p"
    assert "data" not in entry
    assert "data" in found(config)["acme-tilt"]  # allowed later, from the same cache


@pytest.mark.parametrize(
    ("manifest", "said"),
    [("", "it has no manifest at"), ("a = ", "not valid TOML"), ("a = 1", "no plugin manifest"), ("\0", "not valid TOML")],
)
def test_what_is_wrong_with_a_manifest_is_said(manifest: str, said: str, site: Path, config: Config):
    write_plugin(site, "acme-tilt", manifest=manifest)
    assert said in found(config)["acme-tilt"]["problem"]


def test_a_manifest_of_another_module_is_refused(site: Path, config: Config):
    path = write_plugin(site, "acme-tilt", providers=[TILT])
    path.write_text(path.read_text().replace("acme_tilt.plugin", "acme_bend.plugin"))
    assert "is not the manifest of acme_tilt.plugin" in found(config)["acme-tilt"]["problem"]


@pytest.mark.parametrize("module", ["gone.plugin", "gone", "json.gone.deeper", "", ".", "a b", "acme_tilt.plugin:x:y"])
def test_an_entry_point_that_leads_nowhere_is_a_problem_and_no_more(module: str, site: Path, config: Config):
    write_distribution(site, "acme-tilt", points=f"tilt = {module}")
    assert "problem" in found(config)["acme-tilt"]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00[tunesmith.plugins]", b"[tunesmith.plugins]\nx\n=\n", b"[tunesmith.plugins\nx = y"])
def test_broken_metadata_never_raises(text: bytes, site: Path, config: Config):
    folder = write_distribution(site, "acme-tilt", points="x = y")
    (folder / "entry_points.txt").write_bytes(text)
    (folder / "METADATA").write_bytes(b"\xff\x00Name")
    assert "tunesmith-core" in found(config)


def test_the_first_distribution_on_the_path_counts(site: Path, config: Config, tmp_path: Path):
    write_plugin(site, "acme-tilt", "2.0", providers=[TILT])
    write_plugin(tmp_path / "later", "Acme_Tilt", "1.0")
    sys.path.append(str(tmp_path / "later"))
    assert found(config)["acme-tilt"]["version"] == "2.0"


def test_an_editable_install_is_found_through_its_folder_on_the_path(site: Path, config: Config, tmp_path: Path):
    source = write_plugin(tmp_path / "src", "acme-tilt", providers=[TILT])
    for folder in (tmp_path / "src").glob("*.dist-info"):
        folder.rename(site / folder.name)
    (site / "acme_tilt-1.0.dist-info" / "direct_url.json").write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    write_plugin(site, "acme-bend")
    sys.path.append(str(tmp_path / "src"))
    entries = found(config)
    assert entries["acme-tilt"]["manifest"] == str(source)
    assert (entries["acme-tilt"]["editable"], entries["acme-bend"]["editable"]) == (True, False)


def test_with_nothing_changed_nothing_is_scanned_or_read(site: Path, config: Config, monkeypatch: pytest.MonkeyPatch):
    write_plugin(site, "acme-tilt", providers=[TILT], runtime=["not-here>=1"])
    age(site)
    first = discover(config)
    for name in ("_scan", "_read", "_judge_runtimes", "_store"):
        monkeypatch.setattr(discovery, name, lambda *_: pytest.fail("the cache was not used"))
    assert discover(config) == first


def test_an_installed_and_a_removed_plugin_are_noticed(site: Path, config: Config):
    write_plugin(site, "acme-tilt", providers=[TILT])
    age(site)
    discover(config)
    write_plugin(site, "acme-bend", providers=[{"kind": "adapter", "name": "bend"}])
    assert list(found(config)) == ["tunesmith-core", "acme-bend", "acme-tilt"]
    (site / "acme_tilt-1.0.dist-info").rename(site / "gone")
    assert list(found(config)) == ["tunesmith-core", "acme-bend"]


def test_a_changed_manifest_is_noticed_though_no_folder_changed(site: Path, config: Config):
    path = write_plugin(site, "acme-tilt", providers=[TILT])
    age(site)
    discover(config)
    path.write_text(path.read_text().replace("tilt", "bent", 1).replace('name = "tilt"', 'name = "bent"'))
    assert found(config)["acme-tilt"]["data"]["providers"][0]["name"] == "bent"


def test_a_manifest_written_later_is_noticed(site: Path, config: Config):
    path = write_plugin(site, "acme-tilt", providers=[TILT])
    text = path.read_text()
    path.unlink()
    age(site)
    assert "problem" in found(config)["acme-tilt"]
    path.write_text(text)
    assert "data" in found(config)["acme-tilt"]


def test_times_too_fresh_to_be_trusted_are_not(site: Path, config: Config):
    write_plugin(site, "acme-tilt", providers=[TILT])
    now = os.stat(site)
    discover(config)
    write_plugin(site, "acme-bend")
    os.utime(site, ns=(now.st_atime_ns, now.st_mtime_ns))  # as if both were within one tick of the clock
    assert "acme-bend" in found(config)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-5], lambda b: b"", lambda b: b.replace(b"tilt", b"bilt"), lambda b: b"[]" + b, lambda b: b"\xff" * 99]
)
def test_a_damaged_cache_is_passed_over_and_fixed(damage, site: Path, config: Config):
    write_plugin(site, "acme-tilt", providers=[TILT])
    age(site)
    first = discover(config)
    (cache,) = (config.cache / "plugins").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    assert discover(config) == first
    assert cache.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(site: Path, config: Config, tmp_path: Path):
    write_plugin(site, "acme-tilt", providers=[TILT])
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert "data" in found(config)["acme-tilt"]


def test_only_one_file_is_left_in_the_cache(site: Path, config: Config):
    for name in ("acme-tilt", "acme-bend", "acme-fold"):
        write_plugin(site, name)
        discover(config)
    (cache,) = (config.cache / "plugins").iterdir()
    assert json.loads(cache.read_bytes().partition(b"\n")[2])["plugins"]


def test_the_current_directory_changes_without_any_effect(site: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_plugin(site, "acme-tilt", providers=[TILT])
    age(site)
    discover(config)
    (tmp_path / "new-file").touch()
    monkeypatch.setattr(discovery, "_scan", lambda *_: pytest.fail("the cache was not used"))
    assert "acme-tilt" in found(config)
