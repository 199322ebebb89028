"""From a pipeline to a plan: everything that can be decided before compute is spent, each choice with its reason (law L4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.kinds.environment_builder import EnvironmentDirectory
from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.errors import did_you_mean
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.estimates.memory_and_disk import OVERRULED
from tunesmith.planning.inputs.input_readers import Ask, HostPlanner, InputReaders
from tunesmith.planning.inputs.model_source import ModelOrigin
from tunesmith.planning.listeners import Defaults, read_listeners
from tunesmith.planning.pipeline.gate_metrics import check_gates
from tunesmith.planning.pipeline.spec import MODEL, PipelineSpec
from tunesmith.planning.pipeline.step_dependencies import cycles, order
from tunesmith.planning.pipeline.step_syntax import FILE, StepSpec, read_steps
from tunesmith.planning.placement.environments import Environments
from tunesmith.planning.placement.machine import machine_of
from tunesmith.planning.plan import Plan
from tunesmith.planning.plan_builder import PlanBuilder
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.lookup import ProviderLookup

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


def make_plan(
    spec: PipelineSpec, registry: Registry, *, resolve: Callable[[str], ModelInfo], devices: Mapping[str, Sequence[Device]],
    digest_of: Callable[[Path], str], strict: bool = False, preferences: Mapping[str, str] | None = None,
    locks: Callable[[], EnvironmentDirectory] | None = None, memory: MutableMapping[str, Any] | None = None, roots: Sequence[Path] = (),
    ask: Ask | None = None, estimators: Estimators | None = None, defaults: Defaults = (),
) -> Plan:  # fmt: skip
    """Plan a pipeline.

    Args:
        resolve: what a model URI names; asked once, and only if a step reads the pipeline's model.
        devices: what this machine has, by device backend (see `tunesmith.planning.placement.devices.probe`).
        digest_of: SHA-256 of a file of the user's.
        strict: an unknown capability is an error instead of a warning.
        preferences, locks: see `tunesmith.planning.placement.environments.Environments`.
        memory, roots: see `tunesmith.contracts.kinds.input_reader.Planner`; the memory is filled, too.
        ask: has a worker answer an input reader's question; default: nobody answers any.
        estimators: the plugins'; default: asked anew.
        defaults: see `tunesmith.planning.listeners`.

    Raises:
        Problems: everything that is wrong, at once.
    """
    notes = Notes([*spec.problems])
    notes.warnings += getattr(devices, "warnings", ())
    if spec.ignore_estimates:
        notes.decide("", "estimates of memory and disk refuse nothing", OVERRULED)
    lookup = ProviderLookup(spec, registry, notes, Environments(registry, preferences, locks))
    listeners = read_listeners(spec, registry, notes, defaults)
    steps = {step.name: step for step in read_steps(spec, registry, notes)}
    edges = {name: _needed(step, spec, notes) for name, step in steps.items()}
    for cycle in cycles(edges):
        notes.problem("TS-SPEC-010", f"{spec.where('steps', cycle[0])}: steps wait for each other: {' -> '.join(cycle)}",
                      why="An arrow means `needs`.", fix="Take one of these `from`, `needs` or inputs out.")  # fmt: skip
    planner = HostPlanner(registry, lookup.environments, spec.base, digest_of, memory=memory, roots=roots, ask=ask)
    readers = InputReaders(lookup, notes, planner)
    builder = PlanBuilder(
        spec, lookup, notes, ModelOrigin(spec, lookup, notes, resolve), readers, devices, estimators or Estimators(), strict=strict,
        machine=machine_of(devices, registry.providers("device_backend")),
    )  # fmt: skip
    builder.look_up(steps.values())
    for name in dict.fromkeys([*order(edges), *steps]):  # those in and behind a cycle last: what else is wrong with them is told, too
        builder.build(steps[name])
    check_gates(steps.values(), spec, builder, notes)
    if spec.model and not any(MODEL in step.sources or MODEL in step.inputs.values() for step in steps.values()):
        notes.warn(f"no step reads the pipeline's model {spec.model}")
    planned = builder.planned
    notes.raise_problems()
    position = {step.name: number for number, step in enumerate(planned)}
    decisions = tuple(dict.fromkeys(sorted(notes.decisions, key=lambda decision: position.get(decision.step, -1))))
    return Plan(
        name=spec.name, path=spec.path, steps=tuple(planned), gates=tuple(gate for step in steps.values() for gate in step.gates),
        decisions=decisions, warnings=tuple(notes.warnings), outputs=tuple(spec.steps), text=spec.text, base=spec.base,
        ignore_estimates=spec.ignore_estimates, listeners=listeners, machine=builder.machine,
    )  # fmt: skip


def _needed(step: StepSpec, spec: PipelineSpec, notes: Notes) -> list[str]:
    """The steps that a step waits for; a name that is none is a problem."""
    found: list[str] = []
    takes_file = bool(step.verb.inputs) and FILE in step.verb.inputs[0].accepts
    for key, names in (("from", step.sources), ("needs", step.needs)):
        for name in names:
            if name in spec.steps:
                found.append(name)
            elif name == MODEL and key == "from":
                if not spec.model:
                    notes.problem("TS-SPEC-009", f"{spec.where('steps', step.name, key)}: the pipeline has no `model`",
                                  fix="Add a line `model: scheme://...` at the top.")  # fmt: skip
            elif key == "needs" or not takes_file:
                known = [n for n in spec.steps if n != step.name] + ([MODEL] if key == "from" and spec.model else [])
                notes.problem(
                    "TS-SPEC-009", f"{spec.where('steps', step.name, key)}: there is no step `{name}`", fix=did_you_mean(name, known)
                )
    return found + [text for text in step.inputs.values() if isinstance(text, str) and text in spec.steps]
