"""A distribution with a module or package `api` is imported through that alone: everything else of it may move at any time."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {path.parent.name: path.parent for path in ROOT.glob("*/*/*/src/*/__init__.py")} | {
    path.parent.name: path.parent for path in ROOT.glob("*/src/*/__init__.py")
}
OPEN = {
    name for name, folder in PACKAGES.items()
    if name != "tunesmith" and ((folder / "api.py").is_file() or (folder / "api" / "__init__.py").is_file())
}  # fmt: skip


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} if node.module not in PACKAGES else {f"{node.module}.{alias.name}" for alias in node.names}
        waiting += (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))  # no expression imports
    return found


def inner(name: str, own: str) -> bool:
    package, _, rest = name.partition(".")
    return package in OPEN and package != own and rest != "" and rest.partition(".")[0] != "api"


def test_there_is_a_distribution_with_an_api():
    assert OPEN
    assert inner("tunesmith_torch.loop", "acme")
    assert not inner("tunesmith_torch.api.model", "acme")


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_inner_module_of_another_distribution_is_imported(package: str):
    found = {(path.name, name) for path in PACKAGES[package].rglob("*.py") for name in imported(path) if inner(name, package)}
    assert not found, "import it from the distribution's `api`; what is missing there is added to it"


@pytest.mark.parametrize("package", sorted(OPEN - {"tunesmith_transformers"}))  # what is called `api` there is what its server speaks
def test_every_public_name_is_there(package: str):
    api = importlib.import_module(f"{package}.api")
    assert api.__all__
    assert [name for name in api.__all__ if getattr(api, name, None) is None] == []
