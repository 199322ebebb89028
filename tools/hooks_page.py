"""Write docs/hooks.md from the hooks themselves: `python tools/hooks_page.py [--check]`."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tunesmith import hookspecs
from tunesmith.contracts.provider import API, Kind
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.records import Plugin

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "hooks.md"
COMMANDS = ("cli_commands", "ui_pages")
_HEAD = """# Every hook

<!-- Written by tools/hooks_page.py from core/src/tunesmith/hookspecs.py: change that, then run it again. -->

A plugin's module implements any of these with `@hookimpl` (from `tunesmith.hookspecs`). It may leave out arguments that it has no use
for; later versions may add arguments, and never take one away. How to write a plugin: [plugins.md](plugins.md); how versions work:
[versions.md](versions.md).
"""
_BROUGHT = """
## Kinds that plugins bring

Registration hooks, too: they are there where the plugin is installed that brings the kind. How to bring one: [own-kind.md](own-kind.md).
"""
_GROUPS = (
    ("Registration",
     "Called by `tunesmith plugin sync`, which writes what they return to the manifest. They return records and do nothing else.",
     (*hookspecs.REGISTRATION, "kind")),
    ("Events", "Called in the host's process while a pipeline runs. One that raises is told of and does not stop the run, but for "
     "`step_starting`, which may stop a step by raising a `TunesmithError`. What a configuration requires must be able to listen, and its "
     "`step_starting` stops the step where it fails: see [private-plugins.md](private-plugins.md#a-gate).", hookspecs.EVENTS),
    ("Commands and pages", "What a plugin adds to the command line and to the UI, by name; imported only when it is asked for.", COMMANDS),
)  # fmt: skip


def hooks() -> Iterator[str]:
    """Names of all hooks, in the order of the page."""
    for _, _, names in _GROUPS:
        yield from names


@cache
def brought() -> dict[str, tuple[Kind, Plugin]]:
    """The kinds that plugins of this repository bring, by name."""
    plugins = [read_manifest(path) for path in sorted(ROOT.glob("plugins/*/*/src/*/plugin.toml"))]
    return {kind.name: (kind, plugin) for plugin in plugins for kind in plugin.kinds}


def example(name: str) -> str:
    """The example in a hook's docstring, as code."""
    _, _, code = inspect.getdoc(_function(name)).partition("Example::\n")
    return textwrap.dedent(code).strip()


def since(name: str) -> str:
    """The version that a hook came with; empty if its docstring does not say."""
    found = re.search(r"Since (\d+\.\d+)\.", inspect.getdoc(_function(name)) or "")
    return found[1] if found else ""


def page() -> str:
    """The text of docs/hooks.md."""
    parts = [_HEAD]
    for title, text, names in _GROUPS:
        parts += [f"\n## {title}\n\n{text}\n", *map(_entry, names)]
    parts.append(_BROUGHT)
    parts += [_brought_entry(kind, plugin) for kind, plugin in brought().values()]
    return "".join(parts)


def _brought_entry(kind: Kind, plugin: Plugin) -> str:
    head = f"{kind.summary[:1].upper()}{kind.summary[1:]}. Brought by `{plugin.distribution}`. "
    head += f"Contract: `{kind.contract}`, version {kind.api}."
    code = f"@hookimpl\ndef {kind.name}():\n    return {kind.example}"
    return f"\n### `{kind.name}`\n\n```\n{kind.name}() -> Providers\n```\n\n{head}\n\n```python\n{code}\n```\n"


def _entry(name: str) -> str:
    text = inspect.getdoc(_function(name)).partition("\n\nExample::")[0].replace("\n", " ")
    text = re.sub(r"\s*Since \d+\.\d+\.", "", text)
    signature = str(inspect.signature(_function(name))).replace("'", "")
    version = f"; contract version {API[name]}" if name in API else ""
    return f"\n### `{name}`\n\n```\n{name}{signature}\n```\n\n{text} *Since {since(name)}{version}.*\n\n```python\n{example(name)}\n```\n"


def _function(name: str) -> Callable[..., object]:
    return getattr(hookspecs, name)


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
