"""What a later version of the template brings, merged into a plugin that was made from an earlier one."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import copier
import yaml
from copier.errors import CopierError

from tunesmith.errors import UserError
from tunesmith_sdk.manifest.sync import sync
from tunesmith_sdk.scaffold.template_repository import fetch_version, git, home_relative, template_repository

ANSWERS = ".copier-answers.yml"


def update(folder: Path, *, cache: Path) -> tuple[str, str, list[str]]:
    """Merge the template's newest version into the plugin in `folder`.

    Returns:
        the version it was made from, the version it is at now, and the files with conflicts to settle by hand.

    Raises:
        UserError: TS-PLUGIN-043 when the folder was not made from a template, has changes that are not committed, or can't be updated.
    """
    before = _answers(folder)
    kind = str(before.get("kind", ""))
    ours, tag = template_repository(cache, kind)
    if _is(before, ours):
        fetch_version(cache, str(before["_commit"]), kind)
    changed = git(folder, "status", "--porcelain", ".") if _in_git(folder) else ""
    if changed or not _in_git(folder):
        what = "has changes that are not committed" if changed else "is not in a git repository"
        raise _impossible(f"{folder} {what}", "Commit what is there: so you see what the update brings, and can go back.")
    try:
        copier.run_update(folder, vcs_ref=tag if _is(before, ours) else None, defaults=True, overwrite=True, skip_answered=True, quiet=True)
    except (CopierError, subprocess.SubprocessError) as error:
        raise _impossible(f"{folder} can't be updated: {' '.join(str(error).split())}", "Correct what the message names.") from error
    conflicts = [line[3:] for line in git(folder, "status", "--porcelain", ".").splitlines() if "U" in line[:2]]
    if not conflicts:
        sync(folder)
    return str(before["_commit"]), str(_answers(folder)["_commit"]), conflicts


def _answers(folder: Path) -> Mapping[str, Any]:
    try:
        answers = yaml.safe_load((folder / ANSWERS).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        answers = None
    if not isinstance(answers, dict) or not {"_commit", "_src_path"} <= answers.keys():
        raise _impossible(f"{folder} was not made from a template", f"Name a folder that `tunesmith plugin new` made: it has {ANSWERS}.")
    return answers


def _is(answers: Mapping[str, Any], repository: str) -> bool:
    return answers["_src_path"] in (repository, home_relative(repository))


def _in_git(folder: Path) -> bool:
    done = subprocess.run(["git", "rev-parse", "--is-inside-work-tree"], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def _impossible(what: str, fix: str) -> UserError:
    return UserError("TS-PLUGIN-043", what, fix=fix)
