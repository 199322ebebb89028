"""Who reads a setting of a plan: step and provider, with what value, and where that was said."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.settings import aliases_of
from tunesmith.errors import UserError, did_you_mean, listed
from tunesmith.planning.listeners import Defaults, named_listeners
from tunesmith.planning.pipeline.spec import PipelineSpec, dotted
from tunesmith.planning.pipeline.step_syntax import ProviderSpec, StepSpec, read_steps
from tunesmith.planning.plan import Choice, Plan, PlannedStep
from tunesmith.planning.plan_text import without_passwords
from tunesmith.planning.problems import Notes
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

_PLACES = ("steps", "settings")  # words of a path that name nobody

#: step -> the settings that a remedy gave it after those asked for had failed, and why
Remedies = Mapping[str, tuple[Mapping[str, Any], str]]


@dataclass(frozen=True)
class SettingReader:
    """A provider, or a step's verb, that reads a setting.

    Args:
        step: empty for who is told of the run.
        provider: ``kind.name``.
        slot: what the provider is to the step; empty: the step's own verb.
        origin: where the value was said: a line of the file, ``--set``, the default, a remedy.
        effect: where the setting's author says that it shows, if not at once.
        decided: what the plan says of it, such as the value that a preset gives it.
    """

    step: str
    provider: str
    slot: str
    setting: str
    value: Any
    origin: str
    help: str
    effect: Mapping[str, Any]
    decided: tuple[str, ...] = ()


def readers(
    key: str, plan: Plan, spec: PipelineSpec, registry: Registry, *, flags: Collection[str] = (), remedies: Remedies | None = None,
    defaults: Defaults = (),
) -> list[SettingReader]:  # fmt: skip
    """Everyone in a plan who reads the setting ``key``: its name, or more of its path (``adapter.angle``, ``tilt.angle``,
    ``tune.epochs``, ``steps.tune.settings.epochs``, ``track.mlflow.tracking_uri``).

    Args:
        flags: paths that ``--set`` changed.
        defaults: what the configuration says of all pipelines (see `tunesmith.planning.listeners`).

    Raises:
        UserError: TS-CLI-019 when nobody does.
    """
    wanted = {step.name: step for step in read_steps(spec, registry, Notes())}
    *where, name = key.split(".")
    known: list[str] = []
    found = []
    for step in plan.steps:
        for slot, record, settings in _parts(step):
            aliases = aliases_of(record.schema)
            known += [*record.schema.get("properties", {}), *aliases]
            names = {step.name, step.group, slot, record.kind, record.name, *_PLACES}
            own = aliases.get(name, name)
            if own in record.schema.get("properties", {}) and {*where} <= names:
                origin = _origin(own, step, slot, record, wanted.get(step.group), spec, flags)
                found.append(replace(_reader(step, slot, record, own, settings, origin, remedies or {}), decided=_decided(own, step, plan)))
    for place, choice, above, wanted in _listeners(plan, spec, registry, defaults):
        record, aliases = choice.record, aliases_of(choice.record.schema)
        known += [*record.schema.get("properties", {}), *aliases]
        own = aliases.get(name, name)
        if own in record.schema.get("properties", {}) and {*where} <= {above, record.kind, record.name}:
            entry, value = record.schema["properties"][own], without_passwords(choice.settings.get(own))
            origin = _written(own, wanted, aliases, place, flags if place is spec else ())
            told = str(entry.get("description", "")), entry.get("effect", {})
            found.append(SettingReader("", f"{record.kind}.{record.name}", above, own, value, origin or "its default", *told))
    if not found:
        raise UserError("TS-CLI-019", f"nobody in this plan reads a setting `{key}`", fix=did_you_mean(name, sorted({*known})))
    return found


def _decided(name: str, step: PlannedStep, plan: Plan) -> tuple[str, ...]:
    """What the plan decided of a setting that nobody gave a value."""
    own = (decision for decision in plan.decisions if decision.step == step.name)
    return tuple(f"{one.what}: {one.reason}" for one in own if one.what.startswith((f"{name}: ", f"{name} is left out")))


def _listeners(
    plan: Plan, spec: PipelineSpec, registry: Registry, defaults: Defaults
) -> Iterator[tuple[PipelineSpec, Choice, str, ProviderSpec]]:
    """Who is told of the run: where that was said, who it is, under which key, and how it was written."""
    said = named_listeners(spec, registry, Notes(), defaults)
    yield from ((place, choice, key, wanted) for choice, (key, place, wanted) in zip(plan.listeners, said, strict=True))


def _parts(step: PlannedStep) -> Iterator[tuple[str, ProviderRecord, Mapping[str, Any]]]:
    yield "", step.verb, step.settings
    yield from ((slot, choice.record, choice.settings) for slot, choice in step.choices.items())


def _reader(
    step: PlannedStep, slot: str, record: ProviderRecord, name: str, settings: Mapping[str, Any], origin: str, remedies: Remedies
) -> SettingReader:  # fmt: skip
    entry, value = record.schema["properties"][name], settings.get(name)
    fixed, reason = remedies.get(step.name, ({}, ""))
    if not slot and fixed.get(name, value) != value:
        origin = f"a remedy, in place of {json.dumps(value)} ({origin}): {reason}"
        value = fixed[name]
    return SettingReader(
        step.name, f"{record.kind}.{record.name}", slot, name, value, origin, str(entry.get("description", "")), entry.get("effect", {})
    )


def _origin(
    name: str, step: PlannedStep, slot: str, record: ProviderRecord, said: StepSpec | None, spec: PipelineSpec, flags: Collection[str]
) -> str:  # fmt: skip
    if said is None or step.inserted:
        return "the planner, which added the step"
    asked = _asked(said, slot, record)
    if asked and (origin := _written(name, asked, aliases_of(record.schema), spec, flags)):
        return origin
    return "its default" if asked is None or asked.name == record.name else f"its default; `{asked.name}` chose the provider"


def _written(name: str, asked: ProviderSpec, aliases: Mapping[str, str], place: PipelineSpec, flags: Collection[str]) -> str:
    """Where a setting of a provider was said; empty if nowhere."""
    written = next((word for word in asked.settings if aliases.get(word, word) == name), None)
    if written is None:
        return ""
    path = (*asked.path, written)
    flag = next((flag for flag in reversed([*flags]) if f"{dotted(path)}.".startswith(f"{flag}.")), None)
    return f"--set {flag}" if flag else place.where(*path)


def _asked(said: StepSpec, slot: str, record: ProviderRecord) -> ProviderSpec | None:
    """What the pipeline says of a step's verb or of who is in a slot."""
    if not slot:
        return ProviderSpec("verb", said.verb.name, said.settings, said.settings_path)
    if slot == said.verb.main_kind:
        return next((main for main in said.main if main.name == record.name), None) or next(iter(said.main), None)
    return said.slots.get(slot)


def why_text(found: list[SettingReader]) -> str:
    """For a person: who, with what value, whence, and when it matters."""
    lines = []
    for one in found:
        value = json.dumps(one.value, ensure_ascii=False)
        lines.append(f"{one.step or 'the run'}: {one.provider} reads `{one.setting}` = {value}, from {one.origin}")
        lines += [f"    {one.help}"] if one.help else []
        lines += [f"    {told}" for told in one.decided]
        beside = one.effect.get("with", {})
        lines += [f"    it matters with {listed(f'{name}: {json.dumps(value)}' for name, value in beside.items())}"] if beside else []
        lines += [f"    it matters where there is {one.effect['scene']}"] if "scene" in one.effect else []
        lines += [f"    it arrives in {one.effect['call']}"] if "call" in one.effect else []
    return "\n".join(lines) + "\n"


def why_json(found: list[SettingReader]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]
