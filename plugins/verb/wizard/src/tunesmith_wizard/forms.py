"""Forms made of what plugins say of their settings: each with its help, its bounds, and the check that the plan makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.question import Option

Settings = dict[str, Any]
DONE = "done"


def form(interview: Interview, key: str, title: str, schema: Mapping[str, Any], settings: Mapping[str, Any]) -> Settings:
    """The settings as they are after somebody has changed some; only what differs from the defaults stands in them."""
    found = dict(settings)
    entries = dict(_entries(schema))
    while True:
        options = [Option(DONE, _("nothing more"))]
        options += [Option(name, f"{name}: {shown(_value(found, name, entry))}", help_of(entry)) for name, entry in entries.items()]
        name = interview.choose(key, title, options, DONE)
        if name == DONE:
            return found
        entry = entries[name]
        text = _("{name}: {help}", name=name, help=translated(str(entry.get("description", "")))).rstrip(": ")
        value = interview.value(f"{key}.{name}", text, entry, _value(found, name, entry), help=help_of(entry))
        if value == entry.get("default", ...):
            found.pop(name, None)
        else:
            found[name] = value


def _entries(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from schema.get("properties", {}).items()


def _value(settings: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> Any:
    return settings.get(name, entry.get("default"))


def shown(value: Any) -> str:
    """A value in a line, as it would be typed."""
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def help_of(entry: Mapping[str, Any]) -> str:
    """What a setting is, its bounds and its choices, as `--help` has them."""
    bounds = {
        "minimum": _("at least {value}"), "exclusiveMinimum": _("more than {value}"), "maximum": _("at most {value}"),
        "exclusiveMaximum": _("less than {value}"),
    }  # fmt: skip
    facts = [text.format(value=entry[name]) for name, text in bounds.items() if name in entry]
    facts += [_("one of {choices}", choices=", ".join(map(str, entry["enum"])))] if "enum" in entry else []
    facts += [_("default {value}", value=shown(entry["default"]))] if entry.get("default") is not None else []
    told = translated(str(entry.get("description", "")))
    return _("{help} ({facts})", help=told, facts=_("; ").join(facts)) if facts else told
