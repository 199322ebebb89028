"""A recipe as the files that installers read."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.errors import UserError
from tunesmith.policy import normal

#: always there: the worker's contracts need it
ALWAYS = ("pluggy>=1.3",)
SCRATCH = "request-"  # what the folders of files for installers begin with


def requested(recipe: Recipe) -> tuple[str, ...]:
    """All that is resolved together."""
    return tuple(sorted({*recipe.requirements, *ALWAYS}))


def check(recipe: Recipe) -> None:
    """
    Raises:
        UserError: TS-ENV-013 for what is no requirement, or names a place to get a package from.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for line in (*recipe.requirements, *recipe.without_dependencies):
        try:
            url = Requirement(line).url
        except InvalidRequirement as error:
            why = " ".join(str(error).split())
            raise _wrong(recipe, line, why, "It is for the plugin's author to correct.") from None
        if url:
            why = "an environment's packages come from indexes, so that its lock means the same on every machine"
            raise _wrong(recipe, line, why, "Put the wheel into a folder that [environments] find_links names, and ask for it by version.")


def _wrong(recipe: Recipe, line: str, why: str, fix: str) -> UserError:
    who = ", ".join(recipe.plugins) or "a plugin"
    return UserError("TS-ENV-013", f"{who}: `{line}` can't be a requirement of an environment", why=why, fix=fix)


def names(recipe: Recipe) -> set[str]:
    """Names of the distributions that are asked for by name."""
    from packaging.requirements import Requirement

    return {normal(Requirement(line).name) for line in (*requested(recipe), *recipe.without_dependencies)}


@contextlib.contextmanager
def files(scratch: Path, **texts: Iterable[str]) -> Iterator[list[Path]]:
    """Each text's lines as a file, for as long as the context lasts."""
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=scratch))
    try:
        paths = []
        for name, lines in texts.items():
            path = folder / f"{name.replace('_', '-')}.txt"
            path.write_text("".join(line.rstrip("\n") + "\n" for line in lines), encoding="utf-8")
            paths.append(path)
        yield paths
    finally:
        shutil.rmtree(folder, ignore_errors=True)
