"""The template as a git repository with a tag per version: what Copier needs to merge a later version into a plugin.

The template is the SDK's, with the templates of a kind that another plugin brings put into it; the tag then names the versions of both
(``v1.2+acme.poet.0.3``). It is kept in the user's cache. A version that is not in it, because the plugin was made on another machine, is
taken from the wheels of those versions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from tunesmith.errors import UserError
from tunesmith.isolation.locks import FileLock
from tunesmith.plugins.manifest import read_manifest
from tunesmith.policy import normal
from tunesmith_sdk.templates import TEMPLATE, brought, scaffold_of

FOLDER, DISTRIBUTION = "plugin-template", "tunesmith-sdk"
_NOBODY = {"GIT_AUTHOR_NAME": DISTRIBUTION, "GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_NAME": DISTRIBUTION, "GIT_COMMITTER_EMAIL": ""}


def template_repository(cache: Path, kind: str) -> tuple[str, str]:
    """The repository with the template for a kind in it as it is installed here, and the tag of its version."""
    scaffold = brought().get(kind)
    tag = f"v{version(DISTRIBUTION)}{_label(scaffold.plugin.distribution, scaffold.plugin.version) if scaffold else ''}"
    add_version(cache, TEMPLATE, tag, {kind: scaffold.folder} if scaffold else {})
    return str(cache / FOLDER), tag


def _label(distribution: str, version: str) -> str:
    """The version of a kind's templates, as the local part of a version (PEP 440)."""
    return "+" + re.sub(r"[^a-z0-9]+", ".", f"{normal(distribution)}.{version}".lower())


def write_template(folder: Path, kinds: Mapping[str, Path], template: Path = TEMPLATE) -> None:
    """The SDK's template with the templates of further kinds, in a folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(template, folder, dirs_exist_ok=True, ignore=ignored)
    for kind, templates in kinds.items():
        shutil.copytree(templates, folder / "kinds" / kind, dirs_exist_ok=True, ignore=ignored)


def add_version(cache: Path, template: Path, tag: str, kinds: Mapping[str, Path] = MappingProxyType({})) -> None:
    """Put a template, with those of further kinds, into the repository under a tag; does nothing if it is there."""
    repository = cache / FOLDER
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{FOLDER}.lock"):
        if not (repository / ".git").is_dir():
            shutil.rmtree(repository, ignore_errors=True)
            repository.mkdir()
            git(repository, "init", "--quiet")
        for entry in repository.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        write_template(repository, kinds, template)
        git(repository, "add", "--all", "--force")
        tree = git(repository, "write-tree")
        if tag in tags(cache) and git(repository, "rev-parse", f"{tag}^{{tree}}") == tree:
            return
        git(repository, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", tag)
        git(repository, "tag", "--force", tag)


def tags(cache: Path) -> list[str]:
    return git(cache / FOLDER, "tag", "--list").split()


def fetch_version(cache: Path, tag: str, kind: str) -> None:
    """Put the template for a kind of other versions into the repository, from their wheels.

    Raises:
        UserError: TS-PLUGIN-043 when it can't be had.
    """
    if tag in tags(cache):
        return
    with tempfile.TemporaryDirectory() as scratch:
        sdk, _, label = tag.removeprefix("v").partition("+")
        requirements = [f"{DISTRIBUTION}=={sdk}"]
        if label:
            distribution = _bringer(kind)
            requirements.append(f"{distribution}=={label.removeprefix(normal(distribution).replace('-', '.') + '.')}")
        uv = shutil.which("uv")
        install = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
        command = [*install, "--quiet", "--no-deps", "--target", scratch, *requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        template = Path(scratch, "tunesmith_sdk", "template")
        manifests = map(read_manifest, Path(scratch).glob("*/plugin.toml")) if label else ()
        found = next((found for plugin in manifests if (found := scaffold_of(plugin, kind))), None)
        if done.returncode or not template.is_dir() or (label and not found):
            wanted = " and ".join(requirements)
            why = (done.stderr.strip().splitlines() or [f"{wanted} have no template"])[-1]
            raise UserError("TS-PLUGIN-043", f"the template that the plugin was made from can't be had: {wanted}", why=why,
                            fix="Make these versions available to pip.")  # fmt: skip
        add_version(cache, template, tag, {kind: found.folder} if found else {})


def _bringer(kind: str) -> str:
    """The distribution that brings a kind.

    Raises:
        UserError: TS-PLUGIN-043 when none does.
    """
    scaffold = brought().get(kind)
    if scaffold is None:
        raise UserError("TS-PLUGIN-043", f"nothing that is installed brings templates of the kind `{kind}`",
                        fix="Install the plugin that brings the kind.")  # fmt: skip
    return scaffold.plugin.distribution


def home_relative(repository: str) -> str:
    """With ``~`` for the user's home, so that a plugin's answers name no user."""
    home = str(Path.home())
    return "~" + repository[len(home) :] if repository.startswith(home + os.sep) else repository


def git(folder: Path, *words: str) -> str:
    """What git says.

    Raises:
        UserError: TS-PLUGIN-040 when there is no git.
    """
    command = ["git", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false", "-c", "init.defaultBranch=main", *words]
    try:
        done = subprocess.run(command, cwd=folder, env={**os.environ, **_NOBODY}, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise UserError("TS-PLUGIN-040", "making a plugin needs git", fix="Install git.") from None
    return done.stdout.strip()
