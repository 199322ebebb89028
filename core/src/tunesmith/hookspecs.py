"""Every hook on one page.

A plugin is a package with an entry point in the group ``tunesmith.plugins`` whose module (or object) implements any of these
with `hookimpl`. Registration hooks return records; they are called by ``tunesmith plugin sync``, which writes them to the plugin's
manifest, and in a running system only the manifest is read. Event hooks are called in the host while a pipeline runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Union

import pluggy

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.events import MetricPoint, Remedy, RunFacts, StepFacts
from tunesmith.contracts.provider import Kind, Provider, Verb
from tunesmith.errors import TunesmithError

if TYPE_CHECKING:
    from tunesmith import RunView

hookspec = pluggy.HookspecMarker("tunesmith")
hookimpl = pluggy.HookimplMarker("tunesmith")

Providers = Union[Provider, Sequence[Provider]]


# --- registration: one hook per kind -------------------------------------------------------------------------------------------------


@hookspec
def model_loader() -> Providers:  # type: ignore[empty-body]
    """Where models come from. Contract: `tunesmith.contracts.kinds.model_loader`. Since 0.1.

    Example::

        @hookimpl
        def model_loader():
            return Provider("shelf", "models on the company's shelf", "acme_shelf.loader:Shelf", facts={"schemes": ["shelf"]},
                            produces=("model/hf",))
    """


@hookspec
def adapter() -> Providers:  # type: ignore[empty-body]
    """How a model changes and what of it trains. Contract: `tunesmith.contracts.kinds.adapter`. Since 0.1.

    Example::

        @hookimpl
        def adapter():
            return Provider("tilt", "tilts every projection", "acme_tilt.adapter:Tilt", settings=TiltSettings, accepts=("model/hf",),
                            produces=("adapter/tilt",), capabilities={"merge": "full", "reference": "full"})
    """


@hookspec
def trainer_strategy() -> Providers:  # type: ignore[empty-body]
    """Processes and memory of training. Contract: `tunesmith.contracts.kinds.trainer_strategy`. Since 0.1.

    Example::

        @hookimpl
        def trainer_strategy():
            return Provider("relay", "ranks take turns", "acme_relay.strategy:Relay", capabilities={"parallel.replicas": "full"})
    """


@hookspec
def quantizer() -> Providers:  # type: ignore[empty-body]
    """Fewer bits. Contract: `tunesmith.contracts.kinds.quantizer`. Since 0.1.

    Example::

        @hookimpl
        def quantizer():
            return Provider("ternary", "weights in {-1, 0, 1}", "acme_ternary.quantizer:Ternary", accepts=("model/hf",),
                            produces=("model/ternary",))
    """


@hookspec
def exporter() -> Providers:  # type: ignore[empty-body]
    """Another file format. Contract: `tunesmith.contracts.kinds.exporter`. Since 0.1.

    Example::

        @hookimpl
        def exporter():
            return Provider("card", "a page about the model", "acme_card.exporter:Card", accepts=("model/*",), produces=("document/card",))
    """


@hookspec
def evaluator() -> Providers:  # type: ignore[empty-body]
    """Numbers about a model. Contract: `tunesmith.contracts.kinds.evaluator`. Since 0.1.

    Example::

        @hookimpl
        def evaluator():
            return Provider("politeness", "share of polite answers", "acme_manners.evaluator:Politeness", accepts=("endpoint/openai",),
                            facts={"data": ["dataset/chat"], "metrics": {"politeness": {"better": "higher"}}})
    """


@hookspec
def inference_backend() -> Providers:  # type: ignore[empty-body]
    """Serves a model. Contract: `tunesmith.contracts.kinds.inference_backend`. Since 0.1.

    Example::

        @hookimpl
        def inference_backend():
            return Provider("kettle", "the company's engine", "acme_kettle.backend:Kettle", accepts=("model/hf",),
                            produces=("endpoint/openai",))
    """


@hookspec
def device_backend() -> Providers:  # type: ignore[empty-body]
    """What a machine computes on. Contract: `tunesmith.contracts.kinds.device_backend`. Since 0.1.

    Example::

        @hookimpl
        def device_backend():
            return Provider("abacus", "wooden accelerator", "acme_abacus.device:Abacus", facts={"torch": "abacus"}, priority=5)
    """


@hookspec
def executor() -> Providers:  # type: ignore[empty-body]
    """Has steps run elsewhere than on this machine. Contract: `tunesmith.contracts.kinds.executor`. Since 0.1.

    Example::

        @hookimpl
        def executor():
            return Provider("queue", "the lab's batch queue", "acme_queue.executor:Queue")
    """


@hookspec
def environment_builder() -> Providers:  # type: ignore[empty-body]
    """Makes environments for plugins that can't share the host's. Contract: `tunesmith.contracts.kinds.environment_builder`. Since 0.1.

    Example::

        @hookimpl
        def environment_builder():
            return Provider("shed", "environments from the company's mirror", "acme_shed.builder:Shed", settings=ShedSettings, priority=5)
    """


@hookspec
def input_reader() -> Providers:  # type: ignore[empty-body]
    """Makes an input of what is written in the place of a step. Contract: `tunesmith.contracts.kinds.input_reader`. Since 0.1.

    Example::

        @hookimpl
        def input_reader():
            return Provider("ledger", "tables of the company's feature store", "acme_ledger.reader:Ledger", produces=("dataset/*",),
                            priority=5)
    """


@hookspec
def verb() -> Verb | Sequence[Verb]:  # type: ignore[empty-body]
    """A new verb for pipelines and the command line. Contract: `tunesmith.contracts.provider.Verb`. Since 0.1.

    Example::

        @hookimpl
        def verb():
            return Verb("stamp", "put the company's stamp on a model", "acme_stamp.verb:run",
                        inputs=(Input("model", "the model to stamp", accepts=("model/hf",)),), produces=("model/hf",))
    """


@hookspec
def kind() -> Kind | Sequence[Kind]:  # type: ignore[empty-body]
    """A kind of the plugin's own: other plugins then bring providers of it by a hook of its name. See `tunesmith.contracts.provider.Kind`.
    Since 0.1.

    Example::

        @hookimpl
        def kind():
            return Kind("greeter", "says good morning", "acme_greeter.contract:Greeter", checks="acme_greeter.checks",
                        scaffold="scaffold/greeter", example='Provider("loud", "greets loudly", "acme_loud.greeter:Loud")')
    """


# --- events: called in the host, in a thread of their own; one call may take a minute -------------------------------------------------


@hookspec
def run_started(run: RunFacts) -> None:
    """A run begins, after planning. Since 0.1.

    Example::

        @hookimpl
        def run_started(run):
            print("started", run.id)
    """


@hookspec
def step_starting(step: StepFacts) -> None:
    """A step is about to start. Raise TunesmithError to stop it: an approval gate. Since 0.1.

    Example::

        @hookimpl
        def step_starting(step):
            if step.verb == "serve" and not approved(step.run.pipeline):
                raise UserError("ACME-001", "serving needs an approval", fix="Ask the platform team.")
    """


@hookspec
def metrics_reported(step: StepFacts, points: Sequence[MetricPoint]) -> None:
    """A running step has measured something. About once a second, with all points since, the rest before the step finishes or fails; it
    should return quickly, for meanwhile nobody listens to the step. A step that goes on from a checkpoint tells points again that it told
    before it was stopped: one of the same name and place (`at`) replaces the older. Steps from the cache tell nothing. Since 0.1.

    Example::

        @hookimpl
        def metrics_reported(step, points):
            for point in points:
                tracker.record(step.name, point.name, point.value, point.at)
    """


@hookspec
def step_finished(step: StepFacts) -> None:
    """A step has finished and its artifact is committed. Since 0.1.

    Example::

        @hookimpl
        def step_finished(step):
            tracker.record(step.name, step.metrics)
    """


@hookspec(firstresult=True)
def step_failed(step: StepFacts, error: TunesmithError) -> Remedy | None:
    """A step failed; the first answer that is not None is tried. Since 0.1.

    Example::

        @hookimpl
        def step_failed(step, error):
            if error.code == "ACME-BUSY" and step.attempt < 3:
                return Remedy("the shelf was busy", delay=10)
    """


@hookspec
def artifact_committed(step: StepFacts, artifact: Artifact) -> None:
    """An artifact is in the store, complete and verified. Since 0.1.

    Example::

        @hookimpl
        def artifact_committed(step, artifact):
            catalog.add(artifact.digest, artifact.path)
    """


@hookspec
def run_finished(run: RunFacts, view: RunView) -> None:
    """A run has ended, well or not; `view` has what is known of it, for reading while the hook is called. A run whose pipeline is done and
    which stays for its services is told of twice: then, with the state ``serving``, and at its end. A page about the run for people is
    written as ``report.html`` into ``view.directory``, where `tunesmith runs show` finds it, and the same as data as ``report.json``.
    Since 0.1.

    Example::

        @hookimpl
        def run_finished(run, view):
            if view.row.state == "failed":
                pager.call(run.pipeline, view.row.error["what"], [name for name, step in view.steps.items() if step.row.state == "failed"])
    """


@hookspec
def cli_commands() -> Sequence[tuple[str, str, str]]:  # type: ignore[empty-body]
    """Commands of a plugin's own: (name, summary, ``package.module:function`` taking the arguments after the name). Since 0.1.

    A name of two words adds a command to a group of the kernel's, or to a verb: ``plugin bless`` is `tunesmith plugin bless`. One called
    ``tunesmith`` is what `tunesmith` alone begins where stdin and stdout are a terminal, without arguments.

    Example::

        @hookimpl
        def cli_commands():
            return [("shelf", "look at the company's shelf", "acme_shelf.cli:main")]
    """


@hookspec
def ui_pages() -> Sequence[tuple[str, str, str]]:  # type: ignore[empty-body]
    """Pages of a plugin's own in the UI: (path, title, ``package.module:function`` giving HTML). Since 0.1.

    Example::

        @hookimpl
        def ui_pages():
            return [("shelf", "The shelf", "acme_shelf.ui:page")]
    """


#: the hooks of the kernel's own kinds
REGISTRATION = (
    "model_loader", "adapter", "trainer_strategy", "quantizer", "exporter", "evaluator", "inference_backend",
    "device_backend", "executor", "environment_builder", "input_reader", "verb",
)  # fmt: skip
EVENTS = ("run_started", "step_starting", "metrics_reported", "step_finished", "step_failed", "artifact_committed", "run_finished")


def plugin_manager(**plugins: Any) -> pluggy.PluginManager:
    """A pluggy manager that knows these hooks, with plugins registered by name."""
    import sys

    manager = pluggy.PluginManager("tunesmith")
    manager.add_hookspecs(sys.modules[__name__])
    for name, plugin in plugins.items():
        manager.register(plugin, name)
    return manager


def add_kinds(manager: pluggy.PluginManager, kinds: Iterable[str]) -> None:
    """Give a manager the hooks of kinds that plugins bring: each takes nothing and returns `Provider` records."""
    for kind in kinds:

        @hookspec
        def hook() -> Providers:  # type: ignore[empty-body]
            ...

        manager.add_hookspecs(SimpleNamespace(**{kind: hook}))
