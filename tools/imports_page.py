"""Draw who imports whom: `python tools/imports_page.py`, into docs/imports.md.

An import counts wherever it stands, at a module's top or in a function, but for those that only a type checker reads. The kernel's root
imports its public API when somebody asks for it (`tunesmith.Pipeline`); that one does not count, or everything would import everything.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "imports.md"
#: whose checks of a kind count to, whichever distribution brings them: it alone imports them
KIT = "tunesmith_sdk"
PATTERNS = ("*/src/*", "plugins/*/*/src/*")
_HEAD = """# Who imports whom

<!-- Written by tools/imports_page.py from the sources: run it again after a change. -->

Imports go one way: a test fails where they make a circle, between modules, between the parts of a distribution, or between distributions.
An arrow means *imports*.

"""


def packages() -> dict[str, Path]:
    """Import name -> folder of every distribution here but those of contrib/."""
    found = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern) if (path / "__init__.py").is_file())
    return {path.name: path for path in found}


def modules(name: str, folder: Path) -> dict[str, Path]:
    """Dotted name -> file of the modules of a package; templates for new plugins are none."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if "template" not in parts and "scaffold" not in parts[:-1]:
            found[".".join((name, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Names that a module imports: ``a.b``, and ``a.b.c`` for ``from a.b import c``."""
    found: list[str] = []
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif isinstance(node, ast.ImportFrom):
            found += (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        else:  # statements alone: no expression imports
            waiting += (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
    return tuple(found)


def module_graph(names: Mapping[str, Path]) -> dict[str, set[str]]:
    """Module -> the modules among `names` that it imports."""
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        targets = (target if target in names else target.rpartition(".")[0] for target in imports(path))
        graph[name] = {target for target in targets if target in names and target not in (name, "tunesmith")}
    return graph


def merged(graph: Mapping[str, set[str]], depth: int) -> dict[str, set[str]]:
    """The same between what their names begin with: 1 for packages, 2 for the parts of one."""

    def short(name: str) -> str:
        parts = name.split(".")
        if depth == 1 and parts[1:2] == ["conformance"]:
            return KIT
        return ".".join(parts[:depth])

    found: dict[str, set[str]] = {short(name): set() for name in graph}
    for name, targets in graph.items():
        found[short(name)] |= {short(target) for target in targets} - {short(name)}
    return found


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """A circle, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reduced(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that follow from others: what is imported by something imported."""
    reach: dict[str, set[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        reach[name] = set().union(*(reach[target] | {target} for target in graph.get(name, ())))
    return {name: {one for one in targets if not any(one in reach[other] for other in targets)} for name, targets in graph.items()}


def drawing(graph: Mapping[str, set[str]]) -> str:
    """As a Mermaid flowchart, without the arrows that follow from others."""
    lines = [f"  {name.replace('.', '_')}[{name}] --> {target.replace('.', '_')}[{target}]"
             for name, targets in sorted(reduced(graph).items()) for target in sorted(targets)]  # fmt: skip
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def page() -> str:
    """What docs/imports.md should be."""
    every = {name: path for package, folder in packages().items() for name, path in modules(package, folder).items()}
    parts = merged(module_graph({name: path for name, path in every.items() if name.split(".")[0] == "tunesmith"}), 2)
    parts = {name.removeprefix("tunesmith."): {one.removeprefix("tunesmith.") for one in targets} for name, targets in parts.items()}
    text = _HEAD + "## The parts of the kernel\n\n" + drawing({name: t for name, t in parts.items() if name != "tunesmith"})
    return f"{text}\n\n## The distributions\n\n{drawing(merged(module_graph(every), 1))}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
