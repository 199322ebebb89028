"""Who is told of a pipeline's runs: providers of kinds that listen, named at the top of the pipeline, or for all pipelines of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import did_you_mean, shown
from tunesmith.planning.pipeline.spec import TOP_KEYS, PipelineSpec
from tunesmith.planning.pipeline.step_syntax import ProviderSpec, words
from tunesmith.planning.plan import Choice
from tunesmith.planning.plan_text import without_passwords
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.lookup import ProviderLookup
from tunesmith.plugins.requirements import lacking, missing_error

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

NOBODY = "none"
TABLE = "pipeline"  #: of a configuration file: what its pipelines say that do not say otherwise

Defaults = Sequence[tuple[Path, Mapping[str, Any]]]  #: such tables with their files, those that count more last


def read_listeners(spec: PipelineSpec, registry: Registry, notes: Notes, defaults: Defaults = ()) -> tuple[Choice, ...]:
    """Everyone who is to be told; what is wrong goes to `notes`."""
    said = named_listeners(spec, registry, notes, defaults)
    return tuple(choice for key, place, wanted in said if (choice := _choice(wanted, key, ProviderLookup(place, registry, notes))))


def named_listeners(
    spec: PipelineSpec, registry: Registry, notes: Notes, defaults: Defaults = ()
) -> list[tuple[str, PipelineSpec, ProviderSpec]]:
    """(key, where it stands, who and with what settings) of each of them, in the order of `read_listeners`."""
    kinds = {kind.listens: name for name, kind in registry.kinds.items() if kind.listens}
    said: dict[str, tuple[PipelineSpec, tuple[str, ...], Any]] = {}
    tables = [(replace(spec, path=path, lines={}), (TABLE,), table) for path, table in defaults]
    for place, above, table in (*tables, (spec, (), spec.more)):
        for key, value in table.items():
            if key not in kinds:
                what = f"{place.where(*above, key)}: `{key}` is not a key of a pipeline"
                notes.problem("TS-SPEC-004", what, fix=did_you_mean(key, (*TOP_KEYS, *kinds)))
            elif value is not None:
                said[key] = (place, (*above, key), value)
    return [(key, place, wanted) for key, (place, path, value) in said.items() for wanted in _wanted(kinds[key], value, place, path, notes)]


def with_passwords(stored: Sequence[Choice], said: Sequence[Choice]) -> tuple[Choice, ...]:
    """Listeners of a stored plan, which keeps no passwords, with those in what is said now, where it is the same but for these."""
    return tuple(
        next((one for one in said if one.record == choice.record and without_passwords(one.settings) == choice.settings), choice)
        for choice in stored
    )


def _wanted(kind: str, value: Any, place: PipelineSpec, path: tuple[Any, ...], notes: Notes) -> Iterator[ProviderSpec]:
    """``name``, ``{name: settings, other: }`` or a list of these; ``none`` and what is empty name nobody."""
    for index, item in enumerate(value if isinstance(value, list) else [value] if value != NOBODY else []):
        here = (*path, index) if isinstance(value, list) else path
        if isinstance(item, str) and item:
            yield ProviderSpec(kind, item, {}, here)
        elif isinstance(item, Mapping) and all(isinstance(settings, Mapping) for settings in item.values() if settings is not None):
            yield from (ProviderSpec(kind, name, settings or {}, (*here, name)) for name, settings in item.items())
        else:
            fix = "Write `name`, a list of names, or `{name: {setting: value}}`."
            notes.problem("TS-SPEC-008", f"{place.where(*here)}: {shown(item)} names no {words(kind)}", fix=fix)


def _choice(wanted: ProviderSpec, key: str, lookup: ProviderLookup) -> Choice | None:
    choice = lookup.named(wanted)
    if choice is None:
        return None
    plugin = lookup.plugin(choice.record)
    if lacking(plugin):  # it listens in this process, whose environment nothing else can stand for
        lookup.notes.adopt(missing_error(plugin), lookup.spec.where(*wanted.path))
    told = ", ".join(f"{name}: {shown(value)}" for name, value in without_passwords(wanted.settings).items())
    by = f"; {lookup.spec.path} says so" if wanted.path[0] == TABLE else ""
    lookup.notes.decide("", f"{key} {wanted.name}", f"it will be told of the run, with {told or 'its default settings'}{by}")
    return choice
