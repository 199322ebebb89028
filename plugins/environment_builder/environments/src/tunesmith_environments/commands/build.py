"""`tunesmith env build` and `env bundle`: environments before they are needed, here or on a machine without a network."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_cli.api import Command
from tunesmith_cli.api import gettext as _

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.environment_builder import Recipe
    from tunesmith.running.reporter import Reporter
    from tunesmith_cli.api import Session
    from tunesmith_environments.manager import Environments

_PIPELINE = (".yaml", ".yml")


class _Watch:
    """Tells a reporter what happens to one environment."""

    def __init__(self, reporter: Reporter, name: str) -> None:
        self._reporter, self._name = reporter, name

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        self._reporter.progress(self._name, what, done, total, unit)

    def log(self, message: str) -> None:
        self._reporter.log(self._name, "warning", message)

    def check(self) -> None:
        """Ctrl-C raises by itself."""


def _targets(parser: ArgumentParser) -> None:
    parser.add_argument("targets", nargs="*", metavar="PIPELINE|PLUGIN", help="whose environments (default: ./tunesmith.yaml's)")
    parser.add_argument("--device", default="", metavar="NAME", help="the device backend that a plugin's is for (default: this machine's)")
    parser.add_argument("--upgrade", action="store_true", help="take the newest packages that meet the requirements, not the locked ones")
    parser.add_argument("--json", action="store_true", help="print events as lines of JSON")


def configure_build(parser: ArgumentParser) -> None:
    _targets(parser)
    parser.add_argument("--offline", action="store_true", help="ask nothing of the network: wheel folders and uv's cache only")
    parser.add_argument("--installer", choices=("auto", "uv", "pip"), help="what builds (default: the configuration's)")


def run_build(args: Namespace) -> int:
    from tunesmith_cli.api import reporting

    environments, recipes = _asked(args)
    there = []
    with reporting(args.json) as reporter:
        for name, recipe in recipes:
            watch = _Watch(reporter, name)
            if not args.upgrade and environments.ready(recipe):
                there.append((name, environments.ensure(recipe, watch).key))
                continue
            reporter.environment_started(name)
            began = time.monotonic()
            if args.upgrade:
                environments.lock(recipe, watch, upgrade=True)
            built = environments.ensure(recipe, watch)
            reporter.environment_ready(name, built.key, built.size, time.monotonic() - began)
    for name, key in there:
        told = json.dumps({"event": "environment_there", "name": name, "key": key})
        print(told if args.json else "= " + _("{name}: there already ({key})", name=name, key=key))
    if not recipes and not args.json:
        print(_("None of them needs an isolated environment here."))
    return 0


def configure_bundle(parser: ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIRECTORY", help="where the wheels and locks go")
    _targets(parser)


def run_bundle(args: Namespace) -> int:
    from tunesmith_cli.api import reporting
    from tunesmith_environments.bundle import bundle

    environments, recipes = _asked(args)
    with reporting(args.json) as reporter:
        for name, recipe in recipes:
            if args.upgrade:
                environments.lock(recipe, _Watch(reporter, name), upgrade=True)
            bundle(environments, [recipe], args.directory, _Watch(reporter, name))
    wheels = sorted(path.name for path in args.directory.glob("*.whl"))
    if args.json:
        print(json.dumps({"event": "bundled", "directory": str(args.directory.absolute()), "wheels": wheels}))
    else:
        print(_("{count} wheels in {directory}. On the other machine, in tunesmith.toml:", count=len(wheels), directory=args.directory))
        print(f'\n    [environments]\n    offline = true\n    find_links = ["{args.directory.absolute()}"]')
    return 0


# --- what is meant -------------------------------------------------------------------------------------------------------------------


def _asked(args: Namespace) -> tuple[Environments, list[tuple[str, Recipe]]]:
    """The environments' directory, and the recipes of all targets under the names that people call them by."""
    from tunesmith_cli.api import DEFAULT_FILE, Session
    from tunesmith_environments.builder import configured

    recipes: dict[str, Recipe] = {}
    session = Session.open()
    for target in args.targets or [DEFAULT_FILE]:
        if target.endswith(_PIPELINE) or Path(target).is_dir():
            found: Sequence[Recipe] = _of_pipeline(target)
        else:
            found = [_of_plugin(session, target, args.device)]
        recipes |= {recipe.digest: recipe for recipe in found}
    environments = configured(session.config.environments, getattr(args, "installer", None))
    return environments, [(_name(recipe), recipe) for recipe in recipes.values()]


def _of_pipeline(file: str) -> list[Recipe]:
    from tunesmith_cli.api import Session, load

    spec = load(file)
    plan = Session.open(spec.place).plan(spec)
    return [step.recipe for step in plan.steps if step.recipe]


def _of_plugin(session: Session, name: str, device: str) -> Recipe:
    """An environment for a plugin by itself, whether or not it could run in the host's.

    Raises:
        UserError: TS-PLUGIN-... when there is no such plugin.
    """
    from tunesmith.planning.placement.devices import probe
    from tunesmith.planning.placement.environments import recipe_of

    named = [plugin for plugin in session.registry.plugins if any(name in (r.name, f"{r.kind}.{r.name}") for r in plugin.providers)]
    device = device or next((backend for backend, found in probe(session.registry).items() if found), "cpu")
    return recipe_of(session.registry, named[:1] or [session.registry.distribution(name)], device)


def _name(recipe: Recipe) -> str:
    named = [plugin for plugin in recipe.plugins if plugin != "tunesmith-core"] or list(recipe.plugins)
    return f"environment of {', '.join(named)}"


BUILD = Command(
    "build", "build environments ahead of a run", configure_build, run_build,
    (
        ("all that a pipeline needs", "tunesmith env build tunesmith.yaml"),
        ("a plugin's, with the newest packages that fit", "tunesmith env build acme-engine --upgrade"),
    ),
)  # fmt: skip
BUNDLE = Command(
    "bundle", "wheels and locks to carry to a machine without a network", configure_bundle, run_bundle,
    (("all that a pipeline needs", "tunesmith env bundle /media/stick tunesmith.yaml"),),
)  # fmt: skip
