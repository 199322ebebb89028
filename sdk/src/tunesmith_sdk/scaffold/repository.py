"""The SDK's template as a git repository with a tag per version of the SDK: what Copier needs to merge a later version into a plugin.

It is kept in the user's cache. A version that is not in it, because the plugin was made on another machine, is taken from the SDK's
wheel of that version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith.isolation.locks import FileLock

FOLDER, DISTRIBUTION = "plugin-template", "tunesmith-sdk"
TEMPLATE = Path(__file__).parent.parent / "template"
_NOBODY = {"GIT_AUTHOR_NAME": DISTRIBUTION, "GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_NAME": DISTRIBUTION, "GIT_COMMITTER_EMAIL": ""}


def template_repository(cache: Path) -> tuple[str, str]:
    """The repository with this SDK's template in it, and the tag of its version."""
    tag = f"v{version(DISTRIBUTION)}"
    add_version(cache, TEMPLATE, tag)
    return str(cache / FOLDER), tag


def add_version(cache: Path, template: Path, tag: str) -> None:
    """Put a template into the repository under a tag; does nothing if it is there."""
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
        shutil.copytree(template, repository, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        git(repository, "add", "--all", "--force")
        tree = git(repository, "write-tree")
        if tag in tags(cache) and git(repository, "rev-parse", f"{tag}^{{tree}}") == tree:
            return
        git(repository, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", tag)
        git(repository, "tag", "--force", tag)


def tags(cache: Path) -> list[str]:
    return git(cache / FOLDER, "tag", "--list").split()


def fetch_version(cache: Path, tag: str) -> None:
    """Put the template of another version of the SDK into the repository, from that version's wheel.

    Raises:
        UserError: TS-PLUGIN-043 when it can't be had.
    """
    if tag in tags(cache):
        return
    with tempfile.TemporaryDirectory() as scratch:
        requirement = f"{DISTRIBUTION}=={tag.removeprefix('v')}"
        uv = shutil.which("uv")
        install = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
        command = [*install, "--quiet", "--no-deps", "--target", scratch, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        template = Path(scratch, "tunesmith_sdk", "template")
        if done.returncode or not template.is_dir():
            why = (done.stderr.strip().splitlines() or [f"{requirement} has no template"])[-1]
            raise UserError("TS-PLUGIN-043", f"the template that the plugin was made from can't be had: {requirement}", why=why,
                            fix="Make that version of the SDK available to pip.")  # fmt: skip
        add_version(cache, template, tag)


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
