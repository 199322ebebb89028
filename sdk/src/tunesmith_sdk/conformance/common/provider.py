"""Checks of every provider's class and settings, in its own environment."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts import Device, EstimateRequest
from tunesmith.contracts.settings import aliases_of, fill, problems, schema_of
from tunesmith.errors import TunesmithError, UserError
from tunesmith.isolation.provider_import import load, settings_of
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.checks import CheckFailed, check
from tunesmith_sdk.conformance.common.method_signatures import METHODS, shape_of
from tunesmith_sdk.conformance.common.setting_values import bad_values, good_values


@check("provider.loads", title="its class can be built in its environment, and has its kind's methods", level="bronze")
def loads(subject: Subject) -> None:
    if subject.record.kind == "verb":
        if not callable(load(subject.record.target, subject.record.distribution)):
            raise CheckFailed(f"{subject.record.target} is no function", fix="Name a function `run(step)`.")
        return
    built = subject.build()
    kind = subject.request.brought()
    shapes = METHODS[subject.record.kind] if kind is None else (shape_of(load(kind.contract, subject.record.distribution)),)
    misses = [list(_misses(built, shape)) for shape in shapes]
    if all(misses):
        raise CheckFailed(
            f"{type(built).__name__} does not have the methods of its kind: {'; '.join(min(misses, key=len))}",
            fix=f"See {kind.contract if kind else f'tunesmith.contracts.kinds.{subject.record.kind}'}.",
        )  # fmt: skip


def _misses(built: Any, shape: Mapping[str, str]) -> Iterator[str]:
    """In what way an object can't be called as its kind's callers call it."""
    for name, call in shape.items():
        method = getattr(built, name, None)
        if not callable(method):
            yield f"no `{name}`"
            continue
        words = call.split()
        named = {word[:-1]: None for word in words if word.endswith("=")}
        try:
            inspect.signature(method).bind(*(None for word in words if not word.endswith("=")), **named)
        except TypeError as error:
            yield f"`{name}({', '.join(words)})` can't be called: {error}"


@check("settings.round-trip", title="settings come out as they went in, and the schema in the manifest is the class's", level="bronze")
def round_trip(subject: Subject) -> Iterator[CheckFailed]:
    record = subject.record
    cls = load(record.settings, record.distribution) if record.settings else None
    if json.loads(json.dumps(schema_of(cls))) != json.loads(json.dumps(record.schema)):
        yield CheckFailed("the settings class has another schema than the manifest", fix="Run `tunesmith plugin sync`.")
    for values in [*good_values(record.schema, subject.values), *_by_aliases(record.schema, subject.values)]:
        built = settings_of(record.settings, values, record.distribution)
        out = json.loads(json.dumps(dataclasses.asdict(built))) if built is not None else {}
        wanted = json.loads(json.dumps(fill(record.schema, values)))
        if out != wanted:
            names = [name for name in wanted if out.get(name) != wanted[name]] or sorted({*out} - {*wanted})
            yield CheckFailed(
                f"the setting `{names[0]}` went in as {wanted.get(names[0])!r} and came out as {out.get(names[0])!r}",
                fix="Keep settings as they are given; compute from them where they are used.",
            )  # fmt: skip


def _by_aliases(schema: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Settings in which one that has a default is given by another of its names."""
    filled = fill(schema, {**next(good_values(schema, base))})
    for alias, name in aliases_of(schema).items():
        if name in filled:
            yield {alias if key == name else key: value for key, value in filled.items()}


@check(
    "settings.bad-refused",
    title="a value that can't be used is refused by a coded error, one that the schema allows is used",
    level="bronze",
)
def bad_refused(subject: Subject) -> Iterator[CheckFailed]:
    record = subject.record
    for values in bad_values(record.schema, subject.values) if record.settings else ():
        try:
            _built(subject, values)
            yield CheckFailed(f"{_shown(values)} is taken, though the schema forbids it", fix="Make the settings class by `setting(...)`.")
        except UserError:
            continue
        except Exception as error:
            yield CheckFailed(
                f"{_shown(values)} is refused by {type(error).__name__}, not by a coded error", found=str(error),
                fix="Bound the setting by `ge`, `le` or `choices`, or raise `UserError`.",
            )  # fmt: skip
    for values in good_values(record.schema, subject.values):
        try:
            _built(subject, values)
        except TunesmithError as error:
            if not error.user:
                yield CheckFailed(f"{_shown(values)} fits the schema and fails: {error}", fix="Say in the schema what can't be.")
        except Exception as error:
            yield CheckFailed(
                f"{_shown(values)} fits the schema, and building the provider raises {type(error).__name__}", found=str(error),
                fix="Bound the setting by `ge`, `le` or `choices`, or raise `UserError`.",
            )  # fmt: skip


def _built(subject: Subject, values: Mapping[str, Any]) -> None:
    record = subject.record
    if record.kind == "verb":
        settings_of(record.settings, values, record.distribution)
    else:
        subject.build(**values)


def _shown(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values))[:120]


def offers(subject: Subject) -> Iterator[tuple[EstimateRequest, list[dict[str, Any]]]]:
    """What the provider's `variants` offer for machines of one device and of several, in one node and in two."""
    variants = load(subject.record.variants, subject.record.distribution)
    for backend, count in (("cpu", 1), ("cpu", 2), ("cuda", 1), ("cuda", 2), ("cuda", 16)):
        device = Device("made up", 80 << 30, 80 << 30, 0, ("float32", "float16", "bfloat16"), {"node": 8})
        request = EstimateRequest(
            {}, settings=fill(subject.record.schema, subject.values), device=backend, dtypes=device.dtypes, devices=(device,) * count
        )
        yield request, [dict(settings) for settings in variants(request)]


@check(
    "provider.variants",
    when=lambda record: bool(record.variants),
    title="what it offers for a machine are settings of its own, the same at each asking",
)
def variants(subject: Subject) -> Iterator[CheckFailed]:
    again = [offered for _, offered in offers(subject)]
    for (request, offered), other in zip(offers(subject), again, strict=True):
        place = f"for {len(request.devices)} x {request.device}"
        if offered != other:
            yield CheckFailed(f"{place} it offers other settings at each asking", fix="Look at the request alone.")
        if len({json.dumps(one, sort_keys=True) for one in offered}) < len(offered):
            yield CheckFailed(f"{place} it offers the same settings twice", fix="Leave one out.")
        for settings in offered:
            wrong = next((f"`{path}` {sentence}" for path, sentence in problems(subject.record.schema, settings)), "")
            if wrong:
                yield CheckFailed(f"{place} it offers {_shown(settings)}: {wrong}", fix="Offer what its own settings class takes.")
