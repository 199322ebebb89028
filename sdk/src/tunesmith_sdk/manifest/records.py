"""What registration hooks return -> records, checked: an author's mistakes are found when syncing, not by users."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from tunesmith import hookspecs
from tunesmith.contracts.provider import API, Grade, Kind, Provider, Verb
from tunesmith.contracts.settings import schema_of
from tunesmith.errors import UserError, did_you_mean, together
from tunesmith.planning.pipeline.spec import TOP_KEYS
from tunesmith.planning.pipeline.step_syntax import COMMON_KEYS
from tunesmith.plugins.records import ProviderRecord

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
KIND = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MODULE = re.compile(r"[A-Za-z_][\w.]*")
#: names that no kind of a plugin's can have
RESERVED = (*hookspecs.REGISTRATION, *hookspecs.EVENTS, "kind", "cli_commands", "ui_pages", "hooks")
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def record_of(
    kind: str, provider: Provider, distribution: str, version: str, *, brought: Kind | None = None, bringer: str = ""
) -> ProviderRecord:
    """The record of what a plugin's hook for `kind` returned.

    Args:
        brought: the kind, where it is not the kernel's own.
        bringer: the distribution that brings it, where that is another one.

    Raises:
        UserError: TS-PLUGIN-006 naming the field that is wrong.
        Problems: of several, all.
    """
    if not isinstance(provider, Verb if kind == "verb" else Provider) or (kind != "verb" and isinstance(provider, Verb)):
        raise _wrong(kind, "", f"returned {provider!r}", f"Return a {'Verb' if kind == 'verb' else 'Provider'}, or a list of them.")
    name, found = provider.name, list(_faults(kind, provider))
    parts: dict[str, Callable[[], Any]] = {
        "settings": lambda: _settings(kind, provider),
        "schema": lambda: _schema(kind, provider),
        "accepts": lambda: _formats(kind, provider, "accepts"),
        "produces": lambda: _formats(kind, provider, "produces"),
        "limits": lambda: _limits(kind, provider),
        "needs": lambda: tuple(dataclasses.replace(need, when=_plain(kind, name, "needs", need.when)) for need in provider.needs),
        "facts": lambda: _plain(kind, name, "facts", provider.facts),
        "secrets": lambda: _secrets(kind, provider),
    }
    made: dict[str, Any] = {}
    for field, make in parts.items():
        if field == "schema" and "settings" not in made:
            continue  # nothing to describe
        try:
            made[field] = make()
        except UserError as error:
            found.append(error)
    if found:
        raise together(found)
    if isinstance(provider, Verb):
        fields = ("many", "slots", "inputs", "produces_of", "converts", "service", "promote", "computes")
        made |= {key: getattr(provider, key) for key in fields}
        made["main_kind"] = provider.kind
    return ProviderRecord(
        kind=kind,
        name=name,
        summary=provider.summary,
        target=provider.target,
        distribution=distribution,
        version=version,
        api=brought.api if brought else API[kind],
        kind_from=bringer,
        capabilities=dict(provider.capabilities),
        estimator=provider.estimator,
        variants=provider.variants,
        priority=provider.priority,
        **made,
    )


def checked_kind(kind: Any) -> Kind:
    """What a plugin's hook `kind` returned.

    Raises:
        UserError: TS-PLUGIN-006 naming the field that is wrong.
        Problems: of several, all.
    """
    if not isinstance(kind, Kind):
        raise UserError("TS-PLUGIN-006", f"the hook `kind` returned {kind!r}", fix="Return a Kind, or a list of them.")
    found = list(_kind_faults(kind))
    if found:
        raise together([UserError("TS-PLUGIN-006", f"the kind `{kind.name}` {what}", fix=fix) for what, fix in found])
    return kind


def _kind_faults(kind: Kind) -> Iterator[tuple[str, str]]:
    if not isinstance(kind.name, str) or not KIND.fullmatch(kind.name):
        yield "has no usable name", "Use small letters and digits, words joined by `_`: it is the name of a hook."
    elif kind.name in RESERVED:
        yield "has a name that is taken", "Choose another: the kernel has a hook of that name."
    if not isinstance(kind.summary, str) or not kind.summary.strip() or "\n" in kind.summary:
        yield "has no summary of one line", "Say in one line what its providers do."
    if not TARGET.fullmatch(str(kind.contract)):
        yield f"has the contract {kind.contract!r}", "Write it as `package.module:Protocol`."
    if kind.checks and not MODULE.fullmatch(kind.checks):
        yield f"has the checks {kind.checks!r}", "Write the module as `package.module`."
    if kind.examines and (not KIND.fullmatch(str(kind.examines)) or kind.examines in COMMON_KEYS):
        yield f"examines under the key {kind.examines!r}", f"Use small letters, and none of a step's own keys: {', '.join(COMMON_KEYS)}."
    if kind.listens and (not KIND.fullmatch(str(kind.listens)) or kind.listens in TOP_KEYS):
        yield f"listens under the key {kind.listens!r}", f"Use small letters, and none of a pipeline's own keys: {', '.join(TOP_KEYS)}."
    if not isinstance(kind.api, int) or kind.api < 1:
        yield f"has the number {kind.api!r}", "Count from 1."


def _faults(kind: str, provider: Provider) -> Iterator[UserError]:
    """What is wrong with a record's plain fields."""
    name = provider.name
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield _wrong(kind, str(name), "has no usable name", "Use letters, digits, `.`, `_`, `+` and `-`.")
    if not isinstance(provider.summary, str) or not provider.summary.strip() or "\n" in provider.summary:
        yield _wrong(kind, name, "has no summary of one line", "Say in one line what it does; it is its help.")
    for field in ("target", "estimator", "variants"):
        value = getattr(provider, field)
        if not isinstance(value, str) or not (TARGET.fullmatch(value) or (field != "target" and not value)):
            yield _wrong(kind, name, f"has the {field} {value!r}", "Write it as `package.module:Name`.")
    for capability, grade in provider.capabilities.items():
        if grade not in get_args(Grade):
            yield _wrong(kind, name, f"grades the capability {capability} as {grade!r}", did_you_mean(str(grade), get_args(Grade)))


def _limits(kind: str, provider: Provider) -> dict[str, str]:
    for capability in provider.limits:
        if provider.capabilities.get(capability) not in ("partial", "none"):
            what = f"has the limit of `{capability}`, which it does not grade as partial or none"
            raise _wrong(kind, provider.name, what, "Grade it, or leave the limit out.")
    return dict(provider.limits)


def _settings(kind: str, provider: Provider) -> str:
    cls = provider.settings
    if cls is None:
        return ""
    if not dataclasses.is_dataclass(cls) or not isinstance(cls, type):
        raise _wrong(kind, provider.name, f"has the settings {cls!r}", "Give a dataclass; see tunesmith.contracts.settings.")
    if "<locals>" in cls.__qualname__:
        raise _wrong(kind, provider.name, f"has the settings {cls.__qualname__}", "Define the class at the top of a module.")
    return f"{cls.__module__}:{cls.__qualname__}"


def _schema(kind: str, provider: Provider) -> dict[str, Any]:
    try:
        schema = schema_of(provider.settings)
    except (TypeError, NameError) as error:
        raise _wrong(kind, provider.name, f"has settings that can't be described: {error}", "See tunesmith.contracts.settings.") from None
    return _plain(kind, provider.name, "settings", schema)


def _secrets(kind: str, provider: Provider) -> tuple[str, ...]:
    if isinstance(provider.secrets, str) or not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_*?]*", name) for name in provider.secrets):
        raise _wrong(kind, provider.name, f"has secrets={provider.secrets!r}", 'Give a tuple of variables: secrets=("ACME_TOKEN",).')
    return tuple(provider.secrets)


def _formats(kind: str, provider: Provider, field: str) -> tuple[str, ...]:
    formats = getattr(provider, field)
    if isinstance(formats, str):
        raise _wrong(kind, provider.name, f"has {field}={formats!r}", f"A tuple of one needs a comma: {field}=({formats!r},).")
    return tuple(formats)


def _plain(kind: str, name: str, where: str, value: Any) -> Any:
    """The value as JSON would give it back: mappings with string keys, lists, numbers, strings."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(kind, name, f"{where}.{key}", item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(kind, name, f"{where}[{index}]", item) for index, item in enumerate(value)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise _wrong(kind, name, f"has {where} = {value!r}", "Use what JSON can say: strings, numbers, true, false, lists and mappings.")


def _wrong(kind: str, name: str, what: str, fix: str) -> UserError:
    return UserError("TS-PLUGIN-006", f"the {kind} {f'`{name}` ' if name else 'hook '}{what}", fix=fix)
