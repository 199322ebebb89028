"""All checks, and each kind's usual work, imported when they are asked for: the kit's own, and those of kinds that plugins bring."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tunesmith.contracts.provider import Kind
from tunesmith.errors import UserError
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance import common, kinds
from tunesmith_sdk.conformance.checks import CHECKS, Check

_Observer = Callable[[Any], Mapping[str, Any]]
#: kind -> its usual work on a `Subject`, written to the step's output
ACTIONS: dict[str, Callable[[Any], Any]] = {}
#: kind -> what is done before that work's time counts, so that all libraries are in memory
WARM: dict[str, Callable[[Any], Any]] = {}
#: kind -> what its providers leave of their work on a `Subject` beside the files in its output, by name
OBSERVERS: dict[str, _Observer] = {}
#: kind -> what its checks ask for beside the source that a provider accepts (see `Case.material`)
MATERIALS: dict[str, tuple[str, ...]] = {}
#: kind -> why the checks that its plugin brings are not here
UNUSABLE: dict[str, UserError] = {}
#: kind -> scenes that its observer knows (see the `effect` of a setting)
SCENES: dict[str, tuple[str, ...]] = {}


def action(
    kind: str, *, warm: Callable[[Any], Any] | None = None, materials: Sequence[str] = ("rows",)
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Mark a function as the usual work of a kind's providers.

    Args:
        warm: where doing the work once elsewhere does not do for that.
        materials: what the kind's checks ask for by `Subject.material`.
    """

    def put(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        MATERIALS[kind] = tuple(materials)
        ACTIONS[kind], WARM[kind] = function, warm or (lambda subject: function(subject.elsewhere()))
        return function

    return put


def observer(kind: str, *, scenes: tuple[str, ...] = ()) -> Callable[[_Observer], _Observer]:
    """Mark a function as the work in which a change of a setting has to show: it gives numbers, texts, tensors or values of JSON by name.
    What is asked of others has a name that begins with ``request``: there the setting's own value counts.

    Args:
        scenes: of those that the `effect` of a setting can name, the ones that the function knows.
    """

    def put(function: _Observer) -> _Observer:
        OBSERVERS[kind], SCENES[kind] = function, scenes
        return function

    return put


def load() -> dict[str, Check]:
    """Import every module of checks; they import nothing heavy until one is made. In one order, whichever was imported first."""
    from tunesmith_sdk.conformance import hosted, plugin_kinds

    modules = _own(hosted, common, kinds)
    for kind in plugin_kinds.all_kinds().values():
        if not kind.checks or kind.checks in modules:
            continue
        try:
            plugin_kinds.import_checks(kind)
            modules.append(kind.checks)
        except UserError as error:
            UNUSABLE[kind.name] = error
    return _ordered(modules)


def load_in_worker(name: str, kind: Kind | None = None) -> dict[str, Check]:
    """The same without those of the host's side, which use parts of the kernel that are not for workers, and of other kinds than the named.

    Args:
        kind: the record of that kind, where a plugin brings it.
    """
    modules = _own(common)
    if name in {module.name for module in pkgutil.iter_modules(kinds.__path__)}:
        modules.append(importlib.import_module(f"{kinds.__name__}.{name}").__name__)
    if kind and kind.checks:
        modules.append(importlib.import_module(kind.checks).__name__)
    return _ordered(modules)


def _own(*packages: Any) -> list[str]:
    """The modules in packages of the kit's, imported."""
    modules = [f"{package.__name__}.{module.name}" for package in packages for module in pkgutil.iter_modules(package.__path__)]
    for name in modules:
        importlib.import_module(name)
    return modules


def _ordered(modules: Sequence[str]) -> dict[str, Check]:
    places = {name: place for place, name in enumerate(modules)}
    return dict(sorted(CHECKS.items(), key=lambda item: places.get(item[1].function.__module__, -1)))


def checks_of(record: ProviderRecord) -> Iterator[Check]:
    """What a provider's record asks for, in the order of the register.

    Raises:
        UserError: TS-PLUGIN-008 when the checks of its kind can't be imported.
    """
    found = load().values()
    if record.kind in UNUSABLE:
        raise UNUSABLE[record.kind]
    return (check for check in found if check.meant_for(record))


def source_checks() -> Iterator[Check]:
    """Those of a whole plugin."""
    return (check for check in load().values() if check.at == "source")
