"""What a plugin's registration hook returns: frozen records that say everything about a capability but its code.

The kernel reads them from the plugin's manifest (`plugin.toml`, written from these records by `tunesmith plugin sync`),
so that help, policy, planning and docs never import the plugin (law L2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Grade = Literal["full", "partial", "none", "unknown"]
"""How well a capability is there. Absent from a provider's capabilities means unknown."""

#: The kernel's own kinds, each with the contract version that it speaks (it takes N and N-1, law L7). Plugins bring others (`Kind`).
API: Mapping[str, int] = {
    "model_loader": 1, "adapter": 1, "trainer_strategy": 1, "quantizer": 1, "inference_backend": 1, "evaluator": 1,
    "device_backend": 1, "exporter": 1, "executor": 1,
    "environment_builder": 1, "input_reader": 1, "verb": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of capability that a plugin brings: other plugins then have a hook of this name, which returns `Provider` records.

    Args:
        name: a small word, words joined by ``_``; nobody else's.
        summary: what its providers do, in one line.
        contract: ``package.module:Protocol``, the class that says how providers are called.
        api: number of that contract. Providers that were written against it or against the one before are taken (law L7).
        until: the version of the plugin's distribution that stops taking the number before, once there is one.
        checks: ``package.module`` with the conformance checks of its providers, which the kit imports.
        scaffold: folder within the package, relative to the manifest, with the templates that ``tunesmith plugin new`` fills in.
        example: a record in Python, as the documentation shows it.
        listens: key at the top of a pipeline below which its providers are named, with their settings: they take part in no step and are
            told what a run does, by methods called as the event hooks are (``step_finished(self, step)``). Empty: they take part in steps.
        examines: key in a step below which its provider is named: every step that makes a model or an adapter of something has such a
            slot, without its verb saying so. Where the verb has run, the provider's ``check(step, result)`` is called in the same process,
            before what lies in `Step.output` becomes an artifact; it gives the result to publish, or raises what ends the step.
    """

    name: str
    summary: str
    contract: str
    api: int = 1
    until: str = ""
    checks: str = ""
    scaffold: str = ""
    example: str = ""
    listens: str = ""
    examines: str = ""


@dataclass(frozen=True)
class Need:
    """A capability that this provider requires of another one in the same step.

    Args:
        of: the slot or kind that must have it (``adapter``, ``device_backend``), or ``producer``: the provider that made
            the step's main input.
        capability: a namespaced token such as ``reference`` or ``parallel.replicas``.
        why: the reason, as a clause a person can read after "because".
        when: only when this provider's settings have these values.
        formats: only when the step's main input is of one of these formats (``endpoint/*``); empty: always.
    """

    of: str
    capability: str
    why: str
    when: Mapping[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provider:
    """One capability of one kind.

    Args:
        name: what users write (``tilt``); an open string, unique within its kind.
        summary: one line for help.
        target: ``package.module:Class``, imported only in the worker that uses it and called with the settings object
            (without arguments if `settings` is None).
        settings: dataclass of the provider's settings (see `tunesmith.contracts.settings`), or None.
        accepts: artifact formats it takes as main input (``model/hf``; ``model/*`` matches all of a family).
        produces: artifact formats it makes; the first is the usual one.
        capabilities: namespaced tokens with a grade. One that lists devices (``device.<name>``) runs on those.
        limits: for a capability that it has only in part or not at all, what is missing, as a clause after "because"; plans say it.
        needs: what it requires of others in the step.
        facts: static facts that its kind defines (its contract's docstring lists them). Any verb or main provider may declare ``metrics``,
            which its steps' results have (name -> ``{"better": "lower" | "higher", "summary": ..., "with": [...]}``; ``with``: only with
            one of these inputs or settings of the verb): where a verb and its main provider both do, a gate over another is refused.
            A verb may declare ``compares``, a list of its settings: each, given, makes the planner compare the providers that it may choose
            from by their estimates on one device, too (see `variants`).
            Any provider may declare ``recommend``: when it is recommended, with which settings, by which rule and source
            (docs/recommend.md).
        estimator: ``package.module:function`` for the planner; must import only the standard library and contracts.
        variants: ``package.module:function`` for the planner, as `estimator`: ``f(EstimateRequest) -> Sequence[Mapping]``, settings of this
            provider that could serve the machine that is asked for, the simplest first, some and not every count of processes; none where
            it has nothing to offer there. Where the choice is left to the planner and one device does not do, or the verb's fact
            ``compares`` says so, it estimates them all and takes the fastest that fits.
        priority: order among providers when the user leaves the choice to the planner; highest first.
        secrets: environment variables with a token, a key or a password that its code reads in the worker (``ACME_TOKEN``; ``*`` stands for
            any letters). Variables whose names say that they hold one are kept from a worker unless a provider of its step declares them.
    """

    name: str
    summary: str
    target: str
    settings: type | None = None
    accepts: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    capabilities: Mapping[str, Grade] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    estimator: str = ""
    variants: str = ""
    priority: int = 0
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slot:
    """A further provider that a verb takes beside its main one, for example the adapter of a training step.

    Args:
        name: key in the step (``adapter``).
        kind: of the provider.
        default: a provider's name; ``auto``: the planner chooses; ``producer``: the provider of this kind that made the step's main input,
            with its settings (where that came from elsewhere, one that makes such artifacts).
        told: False where the step computes the same with any provider, which is there for what others need of it alone: plans and runs
            do not speak of it.
        interchangeable: True where its providers and their settings say how the step is done, not what it makes: what was begun with
            one and not finished, another goes on with. What the step keeps in `Step.work` has to be readable whoever wrote it.
        examines: True where its provider is called once the verb has run, as `Kind.examines` says.
    """

    name: str
    kind: str
    summary: str
    default: str = "auto"
    told: bool = True
    interchangeable: bool = False
    examines: bool = False


@dataclass(frozen=True)
class Input:
    """An artifact that a verb reads.

    Args:
        name: key in the step (``data``); the first input of a verb is its main one, written ``from``.
        accepts: formats the verb itself takes; empty: any.
        of: slot whose provider says the formats; where `accepts` is given, too, both must take it.
        accepts_by: fact of the step's main provider that lists the formats, of those in `accepts`: the input is required where it names
            some, and nobody reads it where it names none.
        required: whether planning fails without it.
        unless: fact of the step's main provider with which a required one may be left out.
        required_by: fact of the step's main provider that makes it required after all.
        read_by: fact of the step's main provider without which nobody reads it: the plan refuses it then.
        many: it may be a list of steps; the worker finds them as ``name``, ``name.2``, ``name.3`` (see `artifacts.several`).
    """

    name: str
    summary: str
    accepts: tuple[str, ...] = ()
    of: str = ""
    accepts_by: str = ""
    required: bool = True
    unless: str = ""
    required_by: str = ""
    read_by: str = ""
    many: bool = False

    def is_read(self, facts: Mapping[str, Any]) -> bool:
        """Whether somebody in the step reads it, where its main provider has these facts."""
        return (not self.read_by or facts.get(self.read_by) is True) and (not self.accepts_by or bool(facts.get(self.accepts_by)))


@dataclass(frozen=True)
class Verb(Provider):
    """What a step does (``train``, ``quantize``): which kinds it composes, what goes in and what comes out.

    Its `target` is a function ``run(step) -> Result | None`` called in the worker.

    Args:
        kind: kind of its main provider, the value after the verb in a pipeline; empty if it takes none.
        many: the value may be a list; each entry becomes a step of its own, joined under the step's name.
        slots: further providers.
        inputs: artifacts it reads, the main one first.
        produces_of: slot whose provider says what comes out; empty: `produces`.
        converts: ``insert`` if the planner may add it where formats don't fit, ``propose`` if it should only say so
            (it loses something), empty if it is no conversion.
        service: its product lives as long as its process does (an endpoint).
        promote: each provider of its kind is a command of its own (``tunesmith echo``).
        computes: whether it uses a device; else it is the same step on any.
    """

    kind: str = ""
    many: bool = False
    slots: tuple[Slot, ...] = ()
    inputs: tuple[Input, ...] = ()
    produces_of: str = ""
    converts: Literal["insert", "propose", ""] = ""
    service: bool = False
    promote: bool = False
    computes: bool = True
