"""A fix in the template reaches a plugin that was made before it, and what its author has changed stays."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import copier
import pytest
import yaml

from tunesmith.errors import UserError
from tunesmith_sdk.scaffold import Wanted, make, template_repository, template_update, update
from tunesmith_sdk.scaffold.template_repository import TEMPLATE, add_version
from tunesmith_sdk.templates import Scaffold, brought

ENTRY = "project/pyproject.toml.jinja"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=A. Person", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def plugin(tmp_path: Path, cache: Path) -> Path:
    """Made from today's template, changed by its author, committed."""
    folder = tmp_path / "tilt"
    make(Wanted("verb", "tilt", "acme-tilt"), folder, cache=cache)
    code = folder / "src" / "acme_tilt" / "verb.py"
    code.write_text(code.read_text().replace('"SUMS"', '"CHECKSUMS"'))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Mine")
    return folder


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template of a later SDK, which is now the installed one."""
    template = tmp_path / "later"
    shutil.copytree(TEMPLATE, template)
    path = template / ENTRY
    path.write_text(path.read_text().replace("hatchling>=1.27", "hatchling>=9.9"))
    monkeypatch.setattr(template_repository, "TEMPLATE", template)
    monkeypatch.setattr(template_repository, "version", lambda distribution: "99.1.0")
    return template


def test_an_update_brings_the_fix_and_keeps_what_is_the_authors(plugin: Path, later: Path, cache: Path):
    before, after, conflicts = update(plugin, cache=cache)
    assert (before, after, conflicts) == (f"v{repository_version()}", "v99.1.0", [])
    assert "hatchling>=9.9" in (plugin / "pyproject.toml").read_text()
    assert '"CHECKSUMS"' in (plugin / "src" / "acme_tilt" / "verb.py").read_text()
    assert {line[3:] for line in git(plugin, "status", "--porcelain").splitlines()} == {".copier-answers.yml", "pyproject.toml"}


def test_copier_itself_updates_it_once_the_sdk_is_there(plugin: Path, later: Path, cache: Path):
    template_repository.template_repository(cache, "verb")
    copier.run_update(plugin, defaults=True, overwrite=True, skip_answered=True, quiet=True)
    assert "hatchling>=9.9" in (plugin / "pyproject.toml").read_text()


def test_where_both_changed_the_same_line_the_author_decides(plugin: Path, later: Path, cache: Path):
    path = plugin / "pyproject.toml"
    path.write_text(path.read_text().replace("hatchling>=1.27", "hatchling>=5"))
    git(plugin, "commit", "--quiet", "-am", "Mine too")
    assert update(plugin, cache=cache)[2] == ["pyproject.toml"]
    assert "<<<<<<<" in path.read_text()


def test_on_another_machine_the_old_template_comes_from_the_old_sdks_wheel(plugin: Path, later: Path, tmp_path: Path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    answers = plugin / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(tmp_path / "cache"), str(elsewhere)))
    git(plugin, "commit", "--quiet", "-am", "Moved")
    asked = []

    def from_wheel(
        cache: Path, tag: str, kind: str
    ) -> None:  # stands for the index, which has no wheel of a version that was never published
        asked.append((tag, kind))
        add_version(cache, TEMPLATE, tag)

    monkeypatch.setattr(template_update, "fetch_version", from_wheel)
    assert update(plugin, cache=elsewhere)[1:] == ("v99.1.0", [])
    assert asked == [(f"v{repository_version()}", "verb")]
    assert "hatchling>=9.9" in (plugin / "pyproject.toml").read_text()


def test_a_plugin_of_a_kind_that_another_brings_is_at_the_versions_of_both(later_of_both: Path, tmp_path: Path, cache: Path):
    before, after, conflicts = update(later_of_both, cache=cache)
    assert before == f"v{repository_version()}+tunesmith.torch.{version('tunesmith-torch')}"
    assert (after, conflicts) == ("v99.1.0+tunesmith.torch.99.2", [])
    assert "hatchling>=9.9" in (later_of_both / "pyproject.toml").read_text()
    assert "# theirs" in (later_of_both / "src" / "acme_tilt" / "optimizer.py").read_text()


@pytest.fixture
def later_of_both(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A plugin made of the kind `optimizer`, and later versions of the SDK and of the distribution that brings the kind."""
    folder = tmp_path / "of-a-kind"
    make(Wanted("optimizer", "tilt", "acme-tilt", author="A. Person"), folder, cache=cache)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Made")
    request.getfixturevalue("later")
    plugin, templates = brought()["optimizer"]
    shutil.copytree(templates, tmp_path / "templates")
    path = tmp_path / "templates" / "optimizer.py.jinja"
    path.write_text(path.read_text() + "# theirs\n")
    found = {"optimizer": Scaffold(replace(plugin, version="99.2"), tmp_path / "templates")}
    monkeypatch.setattr(template_repository, "brought", lambda: found)
    return folder


def test_a_template_of_ones_own(cache: Path, tmp_path: Path):
    mine = tmp_path / "house"
    shutil.copytree(TEMPLATE, mine)
    (mine / "project" / "SECURITY.md").write_text("Tell the platform team.\n")
    git(mine, "init", "--quiet")
    git(mine, "add", "--all")
    git(mine, "commit", "--quiet", "-m", "Ours")
    git(mine, "tag", "v1.0")
    make(Wanted("verb", "tilt"), tmp_path / "made", cache=cache, template=str(mine))
    assert (tmp_path / "made" / "SECURITY.md").is_file()
    answers = yaml.safe_load((tmp_path / "made" / ".copier-answers.yml").read_text())
    assert (answers["_src_path"], answers["_commit"]) == (str(mine), "v1.0")


@pytest.mark.parametrize(("spoil", "why"), [
    (lambda folder: (folder / "new.txt").write_text("x"), "not committed"),
    (lambda folder: shutil.rmtree(folder / ".git"), "not in a git repository"),
    (lambda folder: (folder / ".copier-answers.yml").unlink(), "not made from a template"),
    (lambda folder: (folder / ".copier-answers.yml").write_text("- a"), "not made from a template"),
], ids=["uncommitted", "no git", "no answers", "broken answers"])  # fmt: skip
def test_what_cant_be_updated_is_told_and_left_alone(plugin: Path, later: Path, cache: Path, spoil, why: str):
    spoil(plugin)
    before = (plugin / "pyproject.toml").read_text()
    with pytest.raises(UserError, match=why) as told:
        update(plugin, cache=cache)
    assert told.value.code == "TS-PLUGIN-043"
    assert (plugin / "pyproject.toml").read_text() == before


def repository_version() -> str:
    from importlib.metadata import version

    return version("tunesmith-sdk")
