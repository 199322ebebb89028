"""A plugin's source folder from the template."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import copier
from copier.errors import CopierError

from tunesmith.errors import UserError, did_you_mean
from tunesmith.policy import normal
from tunesmith_sdk.manifest.sync import sync
from tunesmith_sdk.scaffold.template_repository import home_relative, template_repository
from tunesmith_sdk.templates import kinds

LICENCES = ("Apache-2.0", "MIT", "LicenseRef-Proprietary")
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_DISTRIBUTION = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Wanted:
    """What to make. What is left empty gets a default.

    Args:
        kind: of `kinds()`.
        name: of the provider, as users will write it; of event hooks, the file that they write.
        distribution: what one will ``pip install``; its package is named after it.
    """

    kind: str
    name: str
    distribution: str = ""
    summary: str = ""
    author: str = ""
    licence: str = "Apache-2.0"

    def checked(self) -> Wanted:
        """With its defaults.

        Raises:
            UserError: TS-PLUGIN-041 naming what can't be used.
        """
        kind = self.kind.replace("-", "_")
        distribution = self.distribution or f"tunesmith-{self.name.replace('_', '-')}"
        package = normal(distribution).replace("-", "_")
        if kind not in kinds():
            fix = f"{did_you_mean(kind, kinds())} If a plugin brings that kind, install it first."
            raise _unusable(f"there is no kind `{self.kind}` to make a plugin of", fix)
        if not _NAME.fullmatch(self.name):
            raise _unusable(f"`{self.name}` is no usable name", "Use small letters and digits, words joined by `-` or `_`.")
        if not _DISTRIBUTION.fullmatch(distribution):
            raise _unusable(f"`{distribution}` is no name of a distribution", "Use letters and digits, words joined by `-`, `_` or `.`.")
        if package in ("tunesmith", "tunesmith_sdk") or package in sys.stdlib_module_names:
            raise _unusable(f"the package `{package}` is somebody else's", f"Choose another one: `--distribution acme-{self.name}`.")
        if self.licence not in LICENCES:
            raise _unusable(f"the template has no text for the licence `{self.licence}`", did_you_mean(self.licence, LICENCES))
        if "\n" in self.summary:
            raise _unusable("the summary has several lines", "Say in one line what the plugin does; it is its help.")
        return Wanted(kind, self.name, distribution, self.summary.strip(), self.author.strip() or _author(), self.licence)


def make(wanted: Wanted, folder: Path, *, cache: Path, template: str = "") -> list[Path]:
    """Write the source folder of a plugin and its manifest; the files written, sorted.

    Args:
        cache: where the template is kept as a git repository, which later updates need.
        template: another one than the SDK's: a git repository with version tags.

    Raises:
        UserError: TS-PLUGIN-041 for what is wanted, TS-PLUGIN-042 when it can't be written there.
    """
    wanted = wanted.checked()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fix = "Name another with `--to`."
        raise UserError("TS-PLUGIN-042", f"{folder} is there already", why="A new plugin needs an empty folder.", fix=fix)
    repository, tag = (template, None) if template else template_repository(cache, wanted.kind)
    answers = {name: value for name, value in asdict(wanted).items() if value}
    try:
        copier.run_copy(home_relative(repository), folder, data=answers, vcs_ref=tag, defaults=True, quiet=True)
    except (CopierError, subprocess.SubprocessError) as error:
        fix = "Correct the template." if template else "Report it: the SDK's own template should always work."
        raise UserError("TS-PLUGIN-042", f"the template can't be filled in: {' '.join(str(error).split())}", fix=fix) from error
    sync(folder)
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _author() -> str:
    done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "its authors"


def _unusable(what: str, fix: str) -> UserError:
    return UserError("TS-PLUGIN-041", what, fix=fix)
