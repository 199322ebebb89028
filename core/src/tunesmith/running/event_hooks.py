"""Event hooks: plugins that listen to runs. One that fails, hangs or wants to end the process is told of, and takes the run with it only
where it is required.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.events import MetricPoint, Remedy, RunFacts, StepFacts
from tunesmith.errors import TunesmithError
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.required_plugins import cannot_listen, listener, names, undecided
from tunesmith.plugins.requirements import missing_error
from tunesmith.plugins.time_limit import Barrier
from tunesmith.policy import normal

if TYPE_CHECKING:
    from tunesmith.running.journal.run_view import RunView

_MAY_STOP = "step_starting"  # the one hook by which a plugin may stop something


class Events:
    """The typed face of pluggy for a run. Modules of plugins that listen are imported here, in the host, and no others; those that need
    not be there, when the first hook is called that one of them has.

    Args:
        complain: told a sentence when a plugin fails.
        required: entries of `[plugins] require`.

    Raises:
        UserError: TS-PLUGIN-023 when a required plugin can't listen.
    """

    def __init__(self, plugins: Iterable[Plugin], complain: Callable[[str], None], required: Collection[str] = (),
        lost: Callable[[], bool] = bool,
    ) -> None:  # fmt: skip
        self._complain, self._lost = complain, lost
        self._barrier = Barrier()
        self._silent: dict[str, str] = {}
        self._required = names(required)
        self._manager: Any = None
        self._waiting = [plugin for plugin in plugins if plugin.events and plugin.state == "active"]
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
        from tunesmith.hookspecs import plugin_manager  # pluggy only where somebody listens

        try:
            if not plugin.providers and plugin.missing.get(""):  # its libraries are for its hooks: a provider's may be elsewhere
                raise missing_error(plugin)
            hooks = vars(self._barrier(listener, plugin))
            guarded = types.SimpleNamespace(**{name: self._guarded(plugin, name, function) for name, function in hooks.items()})
            self._manager = self._manager or plugin_manager()
            self._manager.register(guarded, plugin.distribution)
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
        """What a hook of a plugin gives; None, with a complaint, where it fails. One that took more than its time is not called again.

        Raises:
            TunesmithError: what stops a step: the plugin's own word, or that one which is required can't decide.
        """
        decides = name == _MAY_STOP
        try:
            if plugin.distribution in self._silent:
                raise TimeoutError(self._silent[plugin.distribution])
            return self._barrier(function, *arguments)
        except Exception as error:
            if decides and isinstance(error, TunesmithError):
                raise
            if decides and self._is_required(plugin):
                raise undecided(plugin, name, error) from error
            if plugin.distribution not in self._silent:
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
