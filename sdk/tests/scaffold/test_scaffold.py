"""`tunesmith plugin new`: what it makes of every kind, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.errors import UserError
from tunesmith_sdk.manifest.check import check
from tunesmith_sdk.manifest.source import read_source
from tunesmith_sdk.manifest.sync import described
from tunesmith_sdk.scaffold import Wanted, make
from tunesmith_sdk.templates import kinds as all_kinds

KINDS = all_kinds()
RUFF = Path(__file__).parents[3] / "pyproject.toml"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def made(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A plugin of every kind, by kind."""
    folder = tmp_path_factory.mktemp("made")
    for kind in KINDS:
        make(Wanted(kind, "tilt", f"acme-{kind.replace('_', '-')}", author="A. Person"), folder / kind, cache=cache)
    return {kind: folder / kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_of_every_kind_passes_the_static_checks(kind: str, made: dict[str, Path]):
    findings = check(made[kind])
    assert len(findings) >= 5
    assert [finding for finding in findings if finding.ok is not True] == []
    (source,) = read_source(made[kind])
    plugin = described(source)
    assert (kind, "tilt") in [(record.kind, record.name) for record in plugin.providers] or (kind == "hooks" and plugin.events)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_has_all_that_a_distribution_needs_and_no_placeholder(kind: str, made: dict[str, Path]):
    made_here = (path.relative_to(made[kind]) for path in made[kind].rglob("*") if path.is_file())
    files = {path.as_posix() for path in made_here if "__pycache__" not in path.parts}
    package = f"acme_{kind}"
    expected = {"README.md", "LICENSE", "pyproject.toml", ".gitignore", ".copier-answers.yml", ".github/workflows/check.yml"}
    expected |= {f"src/{package}/{name}" for name in ("__init__.py", "py.typed", "plugin.py", "plugin.toml", f"{kind}.py")}
    expected |= {"tests/test_conformance.py", f"tests/test_{package}.py"}
    extra = {f"src/{package}/settings.py", f"src/{package}/generation.py", "tests/conformance_author.py"}
    assert files - extra == expected
    for name in files - {".github/workflows/check.yml", f"src/{package}/py.typed"}:
        text = (made[kind] / name).read_text()
        assert text.strip()
        assert text.endswith("\n")
        assert "{{" not in text
        assert "{%" not in text
    assert "${{ matrix.python }}" in (made[kind] / ".github/workflows/check.yml").read_text()


def test_what_is_made_is_in_the_style_of_this_repository(made: dict[str, Path]):
    folders = [str(folder) for folder in made.values()]
    for words in (["check", "--ignore", "I001"], ["format", "--check"]):  # what is first-party is another thing there
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", RUFF, *folders], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


LIGHT = ("dataset_format", "device_backend", "verb", "model_loader", "executor", "environment_builder", "evaluator", "hooks")


HEAVY = tuple(kind for kind in KINDS if kind not in LIGHT)


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [LIGHT, HEAVY], ids=["light", "heavy"])
def test_the_tests_of_new_plugins_pass(kinds: tuple[str, ...], made: dict[str, Path]):
    """All in one process, which imports once what they need."""
    above = made[kinds[0]].parent
    files = [str(made[kind] / "tests" / f"test_acme_{kind}.py") for kind in kinds]
    roots = "pythonpath=" + " ".join(str(made[kind] / "src") for kind in kinds)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-o", roots, f"--rootdir={above}", *files]
    done = subprocess.run(command, cwd=above, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in kinds:
        assert f"test_acme_{kind}.py::" in done.stdout


MISTAKES = {
    "kind": (Wanted("adaptor", "tilt"), "TS-PLUGIN-041", "`adapter`"),
    "name": (Wanted("adapter", "Tilt!"), "TS-PLUGIN-041", "small letters"),
    "distribution": (Wanted("adapter", "tilt", "-"), "TS-PLUGIN-041", "letters"),
    "package of the standard library": (Wanted("adapter", "tilt", "json"), "TS-PLUGIN-041", "--distribution acme-tilt"),
    "package of the SDK": (Wanted("adapter", "sdk"), "TS-PLUGIN-041", "--distribution acme-sdk"),
    "licence": (Wanted("adapter", "tilt", licence="GPL"), "TS-PLUGIN-041", "Apache-2.0"),
    "summary": (Wanted("adapter", "tilt", summary="two\nlines"), "TS-PLUGIN-041", "one line"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_is_written(mistake: str, cache: Path, tmp_path: Path):
    wanted, code, remedy = MISTAKES[mistake]
    with pytest.raises(UserError) as told:
        make(wanted, tmp_path / "new", cache=cache)
    assert told.value.code == code
    assert remedy in told.value.fix
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(cache: Path, tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UserError) as told:
        make(Wanted("verb", "stamp"), tmp_path, cache=cache)
    assert told.value.code == "TS-PLUGIN-042"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
