"""All checks, and each kind's usual work, imported when they are asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

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
#: kind -> scenes that its observer knows (see the `effect` of a setting)
SCENES: dict[str, tuple[str, ...]] = {}


def action(kind: str, *, warm: Callable[[Any], Any] | None = None) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Mark a function as the usual work of a kind's providers.

    Args:
        warm: where doing the work once elsewhere does not do for that.
    """

    def put(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
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


def load(*, host: bool = True) -> dict[str, Check]:
    """Import every module of checks; they import nothing heavy until one is made. In one order, whichever was imported first.

    Args:
        host: those of the host's side, too, which use parts of the kernel that are not for workers.
    """
    from tunesmith_sdk.conformance import hosted

    packages = (hosted, common, kinds) if host else (common, kinds)
    modules = [f"{package.__name__}.{module.name}" for package in packages for module in pkgutil.iter_modules(package.__path__)]
    for name in modules:
        importlib.import_module(name)
    places = {name: place for place, name in enumerate(modules)}
    return dict(sorted(CHECKS.items(), key=lambda item: places.get(item[1].function.__module__, -1)))


def checks_of(record: ProviderRecord) -> Iterator[Check]:
    """What a provider's record asks for, in the order of the register."""
    return (check for check in load().values() if check.meant_for(record))


def source_checks() -> Iterator[Check]:
    """Those of a whole plugin."""
    return (check for check in load().values() if check.at == "source")
