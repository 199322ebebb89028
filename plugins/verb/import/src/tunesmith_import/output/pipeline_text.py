"""A draft as a pipeline's file: each value with a comment that says where it is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated, wrap
from tunesmith_import.mapping.account import Account, Verdict
from tunesmith_import.mapping.draft import INPUTS, PROVIDERS, STEP, Draft, Origin
from tunesmith_import.mapping.table import NO_EFFECT, REFUSED, UNKNOWN

_WIDTH = 120


def pipeline_of(draft: Draft) -> dict[str, Any]:
    """The pipeline as plain values."""
    found: dict[str, Any] = {name: draft.get(name) for name in ("name", "model", "seed", "device") if name in draft.values}
    step: dict[str, Any] = {}
    for part, key in PROVIDERS.items():
        if part in draft.values:
            settings = {path.partition(".")[2]: value for path, value in _below(draft, part)}
            step[key] = {draft.get(part): settings} if settings else draft.get(part)
    step |= {name: draft.get(name) for name in INPUTS if name in draft.values}
    if settings := {path.partition(".")[2]: value for path, value in _below(draft, "settings")}:
        step["settings"] = settings
    found["steps"] = {STEP: step}
    track: dict[str, Any] = {}
    for path, value in _below(draft, "track"):
        __, tracker, setting = (*path.split(".", 2), "")[:3]
        entry = track.setdefault(tracker, {})
        if setting:
            entry[setting] = value
    return found | ({"track": {name: entry or None for name, entry in track.items()}} if track else {})


def _below(draft: Draft, part: str) -> Iterator[tuple[str, Any]]:
    yield from ((path, value) for path, (value, _origins) in draft.values.items() if path.startswith(f"{part}."))


def pipeline_text(draft: Draft, account: Account) -> str:
    """YAML that `tunesmith plan` takes, with comments; at its end what has no place in it."""
    file = account.configuration.path.name
    head = _("Made of {file} ({tool}) by `tunesmith import`. `tunesmith plan` says what comes of it.", file=file, tool=account.table.tool)
    lines = [*wrap(head, _WIDTH, "# ", "# ")]
    for remark in draft.remarks:
        lines += wrap(translated(remark), _WIDTH, "# ! ", "#   ")
    pipeline = pipeline_of(draft)
    lines += _mapping(pipeline, draft, file, (), "")
    for kind, title in ((REFUSED, _("Refused")), (UNKNOWN, _("Unknown")), (NO_EFFECT, _("Without effect here"))):
        if found := account.of(kind):
            lines += ["", f"# {title}:", *_told(found)]
    return "\n".join([*lines, ""])


def _told(found: Sequence[Verdict]) -> Iterator[str]:
    """Keys with one reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for verdict in found:
        groups.setdefault((verdict.because, verdict.instead if verdict.kind == REFUSED else ""), []).append(
            f"{verdict.entry.key} ({verdict.entry.line})"
        )
    for (because, instead), keys in groups.items():
        said = f"{', '.join(keys)}{_(': ')}{translated(because)}" if because else ", ".join(keys)
        yield from wrap(said + (f"; {translated(instead)}" if instead else ""), _WIDTH, "#   ", "#     ")


def _mapping(value: dict[str, Any], draft: Draft, file: str, path: tuple[str, ...], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        where = (*path, key)
        said = comment(draft, file, where)
        if isinstance(inner, dict) and inner and not _is_input(where):
            yield from _line(f"{indent}{key}:", said, indent)
            yield from _mapping(inner, draft, file, where, indent + "  ")
        else:
            written = "" if inner is None else " " + _flow(inner)
            yield from _line(f"{indent}{key}:{written}", said, indent)


def _is_input(where: tuple[str, ...]) -> bool:
    return len(where) == 3 and where[2] in INPUTS  # a file with its columns, in a line


def _line(text: str, said: str, indent: str) -> Iterator[str]:
    if said and len(text) + len(said) + 4 <= _WIDTH:
        yield f"{text}  # {said}"
        return
    if said:
        yield from wrap(said, _WIDTH, f"{indent}# ", f"{indent}# ")
    yield text


def _flow(value: Any) -> str:
    if isinstance(value, float) and value and not 1e-3 <= abs(value) < 1e6:
        mantissa, __, exponent = f"{value:e}".partition("e")
        short = mantissa.rstrip("0").rstrip(".")
        if float(f"{short}e{exponent}") == value:
            return f"{short}e{int(exponent)}"
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False).strip()
    return text.removesuffix("...").strip()


def comment(draft: Draft, file: str, where: tuple[str, ...]) -> str:
    """Where a value of the pipeline is from; empty where there is nothing to say."""
    for path in _paths(draft, where):
        if path in draft.values:
            said = [text for origin in draft.values[path][1] if (text := _said(origin, file))]
            return _("; ").join(said)
    return ""


def _paths(draft: Draft, where: tuple[str, ...]) -> Iterator[str]:
    parts = {key: part for part, key in PROVIDERS.items()}
    if where[0] != "steps":
        yield ".".join(where)
    elif len(where) == 3:
        yield parts.get(where[2], where[2]) if where[2] != "settings" else ""
    elif len(where) == 4 and where[2] == "settings":
        yield f"settings.{where[3]}"
    elif len(where) == 5 and where[2] in parts:
        yield f"{parts[where[2]]}.{where[4]}"


def _said(origin: Origin, file: str) -> str:
    if origin.key and origin.line:
        place = _("line {line}", line=origin.line) if origin.file in ("", file) else f"{origin.file}:{origin.line}"
        text = f"{origin.key}, {place}"
    elif origin.key and origin.tool:
        text = _("{key}, a default of {tool}", key=origin.key, tool=origin.tool)
    else:
        text = origin.key
    note = translated(origin.note) if origin.note else ""
    return f"{text}{_(': ')}{note}" if text and note else text or note
