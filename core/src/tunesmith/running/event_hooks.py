"""Event hooks: plugins that listen to runs. One that fails, hangs or wants to end the process is told of, and takes the run with it only
where it is required.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.events import MetricPoint, Remedy, RunFacts, StepFacts
from tunesmith.errors import TunesmithError
from tunesmith.isolation.provider_import import build_provider
from tunesmith.planning.plan import Choice
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import WORKING
from tunesmith.plugins.required_plugins import cannot_listen, hooks_of, names, undecided
from tunesmith.plugins.requirements import missing_error
from tunesmith.plugins.time_limit import TimeLimit
from tunesmith.policy import normal

if TYPE_CHECKING:
    from tunesmith.running.journal.run_view import RunView

_MAY_STOP = "step_starting"  # the one hook by which a plugin may stop something


class EventHooks:
    """The typed face of pluggy for a run. Modules of plugins that listen are imported here, in the host, and no others; those that need
    not be there, when the first hook is called that one of them has.

    Args:
        complain: told a sentence when a plugin fails.
        required: entries of `[plugins] require`.
        chosen: providers that the plan names to be told: their answers do not count, and none stops anything.

    Raises:
        UserError: TS-PLUGIN-023 when a required plugin can't listen.
    """

    def __init__(self, plugins: Collection[Plugin], complain: Callable[[str], None], required: Collection[str] = (),
        lost: Callable[[], bool] = bool, chosen: Iterable[Choice] = (),
    ) -> None:  # fmt: skip
        self._complain, self._lost = complain, lost
        self._within_limit = TimeLimit()
        self._silent: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._required = names(required)
        self._manager: Any = None
        self._waiting = [plugin for plugin in plugins if plugin.events and plugin.state == "active"]
        self._chosen = {
            f"the {one.record.kind} {one.record.name}" + f" ({place})" * (place > 1): one for place, one in enumerate(chosen, 1)
        }
        # waiting last, so called first: who fixes a failure ends the telling
        self._waiting += [_bringer(choice, plugins, name) for name, choice in self._chosen.items()]
        self._heard = {name for plugin in self._waiting for name in plugin.events}
        if any(self._is_required(plugin) for plugin in self._waiting):
            self._load_all()

    def hears(self, name: str) -> bool:
        """Whether an active plugin has the hook."""
        return name in self._heard

    def _load_all(self) -> None:
        """All at once, so that they stand in one order."""
        waiting, self._waiting = self._waiting, []
        for plugin in waiting:
            self._load(plugin)

    def _load(self, plugin: Plugin) -> None:
        from tunesmith.hookspecs import hookimpl, plugin_manager  # pluggy only where somebody listens

        try:
            if not plugin.providers and plugin.missing.get(""):  # its libraries are for its hooks: a provider's may be elsewhere
                raise missing_error(plugin)
            choice = self._chosen.get(plugin.distribution)
            hooks = self._within_limit(*((_built, plugin, choice) if choice else (hooks_of, plugin)))
            guarded = {name: self._guarded(plugin, name, function) for name, function in hooks.items()}
            guarded = {name: hookimpl(function) for name, function in guarded.items()} if choice else guarded
            self._manager = self._manager or plugin_manager()
            self._manager.register(types.SimpleNamespace(**guarded), plugin.distribution)
        except Exception as error:
            if self._is_required(plugin):
                raise cannot_listen(plugin, error) from error
            self._complain(f"{plugin.distribution} can't listen to this run: {type(error).__name__}: {error}")

    def _guarded(self, plugin: Plugin, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        options = getattr(function, "tunesmith_impl", None) or {}
        if options.get("hookwrapper"):
            raise TypeError(f"{name} is a hookwrapper of pluggy's old kind; write it with wrapper=True")

        @functools.wraps(function)
        def guarded(*arguments: Any) -> Any:
            return self._tried(plugin, name, function, *arguments)

        @functools.wraps(function)
        def wrapper(*arguments: Any) -> Any:
            around, kept = function(*arguments), []
            began = self._tried(plugin, name, lambda: next(around) or True)
            try:
                result = yield
            except Exception as error:
                if began:
                    self._tried(plugin, name, _told_of, around, error)
                raise
            if began:
                self._tried(plugin, name, lambda: kept.append(_resumed(around, result)))
            return kept[0] if kept else result

        return wrapper if options.get("wrapper") else guarded

    def _tried(self, plugin: Plugin, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a hook gives; None, with a complaint once in a run, where it fails. One that took more than its time is not called again.

        Raises:
            TunesmithError: what stops a step: the plugin's own word, or that one which is required can't decide.
        """
        heeded = plugin.distribution not in self._chosen
        decides = name == _MAY_STOP and heeded
        try:
            if plugin.distribution in self._silent:
                raise TimeoutError(self._silent[plugin.distribution])
            answer = self._within_limit(function, *arguments)
            return answer if heeded else None
        except Exception as error:
            if decides and isinstance(error, TunesmithError):
                raise
            if decides and self._is_required(plugin):
                raise undecided(plugin, name, error) from error
            if plugin.distribution not in self._silent and (plugin.distribution, name) not in self._told:
                self._told.add((plugin.distribution, name))
                self._complain(f"{plugin.distribution} failed in {name}: {type(error).__name__}: {error}")
            if isinstance(error, TimeoutError):
                self._silent[plugin.distribution] = str(error)
            return None

    def _is_required(self, plugin: Plugin) -> bool:
        return normal(plugin.distribution) in self._required

    def _call(self, name: str, **facts: Any) -> Any:
        if any(name in plugin.events for plugin in self._waiting):
            self._load_all()
        if self._manager is None or (name != _MAY_STOP and self._lost()):
            return None
        try:
            return getattr(self._manager.hook, name)(**facts)
        except Exception as error:
            if name == _MAY_STOP and isinstance(error, TunesmithError):
                raise
            self._complain(f"a plugin failed around {name}: {type(error).__name__}: {error}")
            return None

    def run_started(self, run: RunFacts) -> None:
        self._call("run_started", run=run)

    def step_starting(self, step: StepFacts) -> None:
        """Raises the TunesmithError with which a plugin stops the step."""
        self._call("step_starting", step=step)

    def metrics_reported(self, step: StepFacts, points: Sequence[MetricPoint]) -> None:
        self._call("metrics_reported", step=step, points=points)

    def step_finished(self, step: StepFacts) -> None:
        self._call("step_finished", step=step)

    def step_failed(self, step: StepFacts, error: TunesmithError) -> Remedy | None:
        answer = self._call("step_failed", step=step, error=error)
        return answer if isinstance(answer, Remedy) else None

    def artifact_committed(self, step: StepFacts, artifact: Artifact) -> None:
        self._call("artifact_committed", step=step, artifact=artifact)

    def run_finished(self, run: RunFacts, view: RunView) -> None:
        self._call("run_finished", run=run, view=view)


def _bringer(choice: Choice, plugins: Iterable[Plugin], name: str) -> Plugin:
    """The plugin that brings a chosen provider now, as one of that name which may have any hook; without providers where it is gone."""
    from tunesmith.hookspecs import EVENTS

    here = (p for p in plugins if p.state in WORKING and p.distribution == choice.record.distribution)
    plugin = next(here, Plugin(choice.record.distribution, "", ""))
    records = (r for r in plugin.providers if (r.kind, r.name) == (choice.record.kind, choice.record.name))
    return replace(plugin, distribution=name, providers=tuple(records), events=EVENTS)


def _built(plugin: Plugin, choice: Choice) -> dict[str, Callable[..., Any]]:
    """The methods of a chosen provider that are hooks."""
    from tunesmith.hookspecs import EVENTS

    if not plugin.providers:
        raise LookupError(f"{choice.record.distribution} is not there any more, or may not be used")
    (record,) = plugin.providers
    built = build_provider(record.target, record.settings, choice.settings, record.distribution)
    return {name: getattr(built, name) for name in EVENTS if callable(getattr(built, name, None))}


def _resumed(around: Generator[Any, Any, Any], result: Any) -> Any:
    """The second half of a wrapper: what it makes of the others' result."""
    try:
        around.send(result)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("it yields twice")


def _told_of(around: Generator[Any, Any, Any], error: Exception) -> None:
    """The second half of a wrapper where the others have failed: it can't undo that."""
    try:
        around.throw(error)
    except StopIteration:
        pass
    except BaseException as other:
        if other is not error:
            raise
