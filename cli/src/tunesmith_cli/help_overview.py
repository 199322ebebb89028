"""`tunesmith --help`: all commands at a glance, from static records alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith_cli.command import ALONE, ENTRIES, GROUPS, PIPELINES, PLUGINS, STEPS
from tunesmith_cli.errors import colored
from tunesmith_cli.translation.catalogs import gettext, translated

if TYPE_CHECKING:
    from tunesmith_cli.plugin_commands import Catalog

_HINTS = {PIPELINES: "a file with several steps, tunesmith.yaml by default"}
_MARGIN = 2


def overview_text(catalog: Catalog) -> str:
    """The page that lists every command."""
    rows: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
    for entry in ENTRIES:
        rows[entry.group].append((entry.name, entry.summary))
    rows[STEPS] = [(name, verb.summary) for name, verb in catalog.verbs.items()]
    own = [(name, summary) for name, (summary, _, _) in catalog.commands.items() if " " not in name and name != ALONE]
    rows[PLUGINS] = [*own, *rows[PLUGINS]]
    lines = [gettext("usage: {command}", command="tunesmith COMMAND [options]"), ""]
    lines += [gettext("The whole life of a language model, as a pipeline of plugins."), ""]
    lines += _table([(group, rows[group]) for group in GROUPS])
    common = [("--home DIR", gettext("where artifacts and runs are kept (default: the nearest .tunesmith)")),
              ("--debug", gettext("show the traceback of an internal error")), ("--version, --help", "")]  # fmt: skip
    lines += [_heading(gettext("Options")), *_columns(common, 20)]
    lines += ["", gettext("`tunesmith COMMAND --help` shows a command's options and examples. Every command takes --json.")]
    idle = [plugin for plugin in catalog.registry.plugins if plugin.state != "active"]
    if idle:
        one, more = "1 plugin is not fully active: `tunesmith plugin list` says why.", gettext(
            "{count} plugins are not fully active: `tunesmith plugin list` says why.", count=len(idle)
        )  # fmt: skip
        lines.append(gettext(one) if len(idle) == 1 else more)
    return "\n".join(lines)


def group_text(prog: str, summary: str, rows: list[tuple[str, str]]) -> str:
    """The page of a command that has subcommands, by name and summary."""
    told = translated(summary)
    head = [gettext("usage: {command}", command=f"{prog} COMMAND [options]"), "", told[:1].upper() + told[1:] + gettext("."), ""]
    foot = gettext("`{command} COMMAND --help` shows a command's options and examples.", command=prog)
    return "\n".join([*head, *_table([("Commands", rows)]), foot])


def _table(groups: Sequence[tuple[str, list[tuple[str, str]]]]) -> list[str]:
    first = max((len(name) for _, rows in groups for name, _ in rows), default=0)
    lines = []
    for group, rows in groups:
        if rows:
            hint = f" ({translated(_HINTS[group])})" if group in _HINTS else ""
            lines += [_heading(translated(group)) + hint, *_columns(rows, first), ""]
    return lines


def _heading(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colored(sys.stdout) else text


def _columns(rows: Sequence[tuple[str, str]], first: int) -> list[str]:
    return [" " * _MARGIN + f"{name:<{first}}  {translated(summary)}".rstrip() for name, summary in rows]
