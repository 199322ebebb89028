"""Checks of environment builders, on wheels of a few bytes and without a network: what is built, found again, fixed and stopped."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.kinds.environment_builder import Environment, EnvironmentDirectory, Recipe, Silent
from tunesmith.errors import TunesmithError
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, check
from tunesmith_sdk.distributions.wheels import write_wheel

#: stands in for the kernel: a worker that says where it runs
_WORKER = """
import json, os, sys

def find(name):
    try:
        return __import__(name).version
    except ImportError:
        return None

def main():
    said = {name: find(name) for name in ("anvil", "mallet", "stray")}
    with open(os.environ["KIT_SAID"], "w") as file:
        json.dump({**said, "prefix": sys.prefix, "unwanted": "PYTHONHOME" in os.environ}, file)

if __name__ == "__main__":
    main()
"""


class Forge(NamedTuple):
    """Environments that are still to be built, and what is to be in one: `anvil` below 2, of which the wheels hold 1.0 and 2.0."""

    environments: EnvironmentDirectory
    recipe: Recipe
    code: Path  # a folder with the code that workers run: the stand-in for the kernel, and `mallet`


def forge(subject: Subject) -> Forge:
    wheels, code = subject.folder("wheels"), subject.folder("code")
    for name, version in (("anvil", "1.0"), ("anvil", "2.0"), ("tongs", "1.0"), ("pluggy", "1.6.0")):
        write_wheel(wheels, name, version)
    (code / "tunesmith" / "isolation").mkdir(parents=True)
    for name, text in {"__init__": "", "isolation/__init__": "", "isolation/worker": _WORKER}.items():
        (code / "tunesmith" / f"{name}.py").write_text(text)
    (code / "mallet.py").write_text(
        "version = 'of the host'\n\ndef sound():\n    return {'mallet': 'sound'}\n\ndef cracked():\n    1 / 0\n"
    )
    packages = {"tunesmith": code / "tunesmith", "mallet": code / "mallet.py"}
    recipe = Recipe(("anvil<2",), packages=packages, plugins=("acme-forge",))
    return Forge(subject.build().open(subject.folder("environments") / "own", True, (wheels,)), recipe, code)


class _Stopping(Silent):
    """Lets a work begin, and then stops it."""

    class Asked(Exception): ...

    def __init__(self, after: int) -> None:
        self.left = after

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.Asked


def _anvil(built: Environment) -> Path:
    """The one file of what was asked for."""
    found = list(Path(built.python).parents[1].rglob("anvil/__init__.py"))
    if not found:
        raise CheckFailed("what was asked for is nowhere in the environment of its Python", fix="Install it, and name that Python.")
    return found[0]


@action("environment_builder")
def work(subject: Subject) -> None:
    """Build an environment; asked to stop, it is told by its watch."""

    class Told(Silent):
        def check(self) -> None:
            subject.step.check_cancelled()

    made = forge(subject)
    made.environments.ensure(made.recipe, Told())


@observer("environment_builder")
def observe(subject: Subject) -> dict[str, Any]:
    """The files of an environment: which are links, and how large the others are."""
    made = forge(subject)
    folder = Path(made.environments.ensure(made.recipe, Silent()).python).parents[1]
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {path.relative_to(folder).as_posix(): "a link" if path.is_symlink() else path.stat().st_size for path in found}


@check(
    "environment_builder.builds-what-is-asked",
    kind="environment_builder",
    title="an environment holds what its recipe asks for, and says so",
)
def builds(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    built = made.environments.ensure(made.recipe, Silent())
    code = "import anvil, platform; print(anvil.version, platform.python_version())"
    done = subprocess.run([built.python, "-c", code], capture_output=True, text=True, check=False)
    if done.stdout.split() != ["1.0", built.version]:
        yield CheckFailed(
            "its Python does not find the version of a package that was asked for, or is not of the version that is told",
            found=f"{done.stdout}{done.stderr[-300:]} (told: Python {built.version})", fix="Install what the recipe's requirements say.",
        )  # fmt: skip
    if built.packages.get("anvil") != "1.0":
        yield CheckFailed(
            "`packages` does not tell what is in it", found=str(dict(built.packages)), fix="Tell every name with its version."
        )
    if built.size <= 0:
        yield CheckFailed("`size` tells no bytes", found=str(built.size), fix="Count the bytes of its files.")
    if [one.key for one in made.environments.all()] != [built.key]:
        yield CheckFailed("`all` does not list the one that is built", fix="List every environment of the directory.")


@check(
    "environment_builder.tells-one-key",
    kind="environment_builder",
    title="a recipe has one key, from its lock on, and another recipe another",
)
def keys(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    if made.environments.key(made.recipe) is not None:
        yield CheckFailed("a recipe that nobody has locked has a key", fix="Return None from `key` until `lock` has resolved its packages.")
    made.environments.lock(made.recipe, Silent())
    key = made.environments.key(made.recipe)
    if made.environments.ready(made.recipe) is not None:
        yield CheckFailed("locking a recipe builds its environment", fix="Only resolve in `lock`.")
    first = made.environments.ensure(made.recipe, Silent())
    mark = Path(first.python).parents[1] / "mark-of-the-kit"
    mark.touch()
    again = made.environments.ensure(replace(made.recipe, packages={}, plugins=("acme-other",)), Silent())
    if not key == first.key == again.key == made.environments.key(made.recipe):
        yield CheckFailed("one recipe has several keys", found=f"{key}, {first.key}, {again.key}", fix="Make the key of what is locked.")
    if not mark.exists():
        yield CheckFailed("what is built is built again", fix="Give what is `ready`; plugins and their code make no other environment.")
    for other in (replace(made.recipe, requirements=("anvil<2", "tongs")), replace(made.recipe, accelerator="abacus")):
        made.environments.lock(other, Silent())
        if made.environments.key(other) == key:
            yield CheckFailed(
                "another recipe has the same key", found=f"{other.requirements} for {other.accelerator}",
                fix="Hash the locked packages, Python, platform and accelerator.",
            )  # fmt: skip


@check(
    "environment_builder.starts-workers",
    kind="environment_builder",
    title="a worker has the environment's packages and the recipe's code, and no others",
)
def starts(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    start = made.environments.start(made.environments.ensure(made.recipe, Silent()), made.recipe)
    strays, said = subject.folder("strays"), subject.folder("said") / "said.json"
    (strays / "stray.py").write_text("version = 'of the host'\n")
    misleading = {"PYTHONPATH": str(strays), "PYTHONHOME": str(strays), "KIT_SAID": str(said)}
    variables = {name: value for name, value in {**os.environ, **misleading}.items() if name not in start.without}
    done = subprocess.run(list(start.command), env={**variables, **start.environment}, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(said.read_text()) if said.exists() else {}
    if not told:
        raise CheckFailed(
            "its command does not run the worker of the recipe's code", found=done.stderr[-300:],
            fix="Run `tunesmith.isolation.worker` with the recipe's `packages` on its path, without the host's PYTHONPATH and PYTHONHOME.",
        )  # fmt: skip
    if told["anvil"] != "1.0":
        yield CheckFailed("a worker does not find the environment's packages", fix="Start it by the environment's Python.")
    if told["mallet"] is None:
        yield CheckFailed("a worker does not find the recipe's code", fix="Put each of the recipe's `packages` on its path.")
    if told["stray"] is not None or told["unwanted"]:
        yield CheckFailed("a worker finds what the host's variables name", fix="Name PYTHONPATH, PYTHONHOME ... in `without`, or set them.")


@check("environment_builder.fixes-damage", kind="environment_builder", title="an environment that lost a file is found out, and built anew")
def fixes(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    built = made.environments.ensure(made.recipe, Silent())
    if wrong := made.environments.verify(built):
        yield CheckFailed("a new environment is said to be damaged", found=str(wrong), fix="Compare with how it was built.")
    if made.environments.examine(made.recipe).serious:
        yield CheckFailed("`examine` says that something is wrong with a new environment", fix="Set `serious` where something is.")
    _anvil(built).unlink()
    if not made.environments.examine(made.recipe).serious:
        yield CheckFailed("`examine` does not say that a file is gone", fix="Look at the files, and set `serious`.")
    if not made.environments.verify(built):
        yield CheckFailed("`verify` does not find that a file is gone", fix="Compare each file with what was installed.")
    if not _anvil(made.environments.ensure(made.recipe, Silent())).exists():
        yield CheckFailed("after `verify` has found damage, `ensure` gives the damaged environment", fix="Build it anew.")


@check(
    "environment_builder.stops",
    kind="environment_builder",
    title="stopped by its watch it passes that on, and nothing half-built is ever given",
)
def stops(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    for after in (0, 1, 2):
        try:
            made.environments.ensure(made.recipe, _Stopping(after))
        except _Stopping.Asked:
            if made.environments.ready(made.recipe) is not None or made.environments.all():
                yield CheckFailed("what was stopped is given as built", fix="Write a marker last, and give only what has it.")
        else:
            if after == 0:
                yield CheckFailed("its watch can't stop it", fix="Call `watch.check` before and between parts of the work; let it raise.")
            break
    made.environments.ensure(made.recipe, Silent())


@check(
    "environment_builder.refuses-by-code",
    kind="environment_builder",
    title="what can't be had is refused by a coded error, and nothing is left of it",
)
def refuses(subject: Subject) -> Iterator[CheckFailed]:
    made = forge(subject)
    healthy = made.environments.ensure(replace(made.recipe, requirements=("tongs",), probes=("mallet:sound",)), Silent())
    wanted = {
        "a package that is nowhere": replace(made.recipe, requirements=("nowhere-to-be-had>=1",)),
        "a probe that fails": replace(made.recipe, probes=("mallet:cracked",)),
    }
    for what, recipe in wanted.items():
        try:
            made.environments.ensure(recipe, Silent())
        except TunesmithError as error:
            if not error.fix:
                yield CheckFailed(f"the error of {what} does not say what to do", found=str(error), fix="Give `fix`.")
        except Exception as error:
            yield CheckFailed(
                f"{what} gives a {type(error).__name__}, which has no code", fix="Raise a TunesmithError with a code of yours."
            )
        else:
            yield CheckFailed(f"an environment with {what} is built", fix="Raise a TunesmithError, and delete what is there of it.")
    if [one.key for one in made.environments.all()] != [healthy.key]:
        yield CheckFailed("what was refused is listed as built", fix="Write the marker when everything has passed.")
