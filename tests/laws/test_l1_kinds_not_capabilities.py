"""L1: the kernel knows kinds, never capabilities."""

from __future__ import annotations

import ast
import functools
import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.records import Plugin

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "src" / "tunesmith"
SOURCES = sorted(CORE.rglob("*.py"))
REQUIRED = {"pluggy", "yaml", "rich", "packaging", "tomli", "fastjsonschema"}  #: what the kernel's distribution requires
#: capabilities named with a word that the kernel needs for something else; it still may not ask for the capability
WORDS = {
    "code": "what a program, and an error, has",
    "cpu": "the device of a step when no device backend is there",
    "exact": "without rounding",
    "file": "what a user has on disk",
    "format": "a family of artifacts",
    "full": "a grade",
    "gguf": "a format that the contracts name",
    "judge": "to say how good something is",
    "length": "how long something is",
    "math": "a module of Python",
    "merge": "YAML's merge key",
    "model": "what steps read and make",
    "messages": "a key of chat rows",
    "package": "what is installed",
    "peft": "a format that the contracts name",
    "preference": "a family of rows",
    "prefix": "what a name begins with",
    "prepare": "what a strategy does with a model before training, in other libraries' words",
    "prompt": "what a model is asked",
    "random": "by chance",
    "safetensors": "a file format that the contracts name",
    "serve": "what an inference backend does",
    "single": "one",
    "split": "what Python calls taking a text apart",
    "train": "to train",
    "verdict": "what was decided of an alternative",
}


def manifests() -> list[Path]:
    """Of what is published; contrib/forks is a made-up company, which the examples in core's docs are about as well."""
    return sorted(path for folders in ("plugins/*/*", "contrib/*") for path in ROOT.glob(f"{folders}/src/*/plugin.toml"))


@functools.cache
def plugins() -> tuple[Plugin, ...]:
    return tuple(map(read_manifest, manifests()))


def capabilities() -> set[str]:
    return {record.name for plugin in plugins() for record in plugin.providers}


@functools.cache  # several laws look at each module
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imported(path: Path) -> frozenset[str]:
    nodes = list(ast.walk(tree_of(path)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return frozenset(names | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module})


@functools.cache
def names_of_capabilities() -> re.Pattern[str]:
    distributions = {plugin.distribution for plugin in plugins()}
    names = (capabilities() - set(WORDS)) | distributions | {name.replace("-", "_") for name in distributions}
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(names)))})(?![\w-])", re.IGNORECASE)


def test_there_are_plugins_to_compare_with():
    assert len(capabilities()) > 10


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CORE)))
def test_no_capability_is_named_in_the_kernel(path: Path):
    pattern = names_of_capabilities()
    named = [f"line {number}: {line.strip()}" for number, line in enumerate(path.read_text().splitlines(), 1) if pattern.search(line)]
    assert not named, "examples use made-up names; see hookspecs.py"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CORE)))
def test_no_capability_is_asked_for_in_the_kernel(path: Path):
    names = capabilities()
    asked = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Compare) and any(
            isinstance(side, ast.Attribute) and side.attr == "name" for side in (node.left, *node.comparators)
        ):
            constants = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("provider", "verb"):
            constants = list(node.args)
        else:
            continue
        asked += [f"line {node.lineno}: {c.value}" for c in constants if isinstance(c, ast.Constant) and c.value in names]
    assert not asked, "decide by kind, format, capability or fact, so that a stranger's plugin is treated the same"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CORE)))
def test_the_kernel_imports_the_standard_library_and_its_few_requirements(path: Path):
    allowed = {*sys.stdlib_module_names, "tomllib", "tunesmith"}  # tomllib: since 3.11
    if path.relative_to(CORE).parts[0] not in ("contracts", "isolation", "verbs"):  # these run inside any plugin's pins
        allowed |= REQUIRED
    elif path.parent.name == "contracts":
        allowed |= {"pluggy"}
    elif path.parent.name == "environments":  # the host's part of isolation
        allowed |= {"packaging"}
    assert {name.partition(".")[0] for name in imported(path)} <= allowed


#: imports go one way, from higher to lower
LAYERS = {
    "contracts": 0,
    "errors": 0,
    "plugins": 1,
    "config": 1,
    "isolation": 1,
    "verbs": 1,
    "planning": 2,
    "running": 2,
    "api": 3,
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CORE)))
def test_imports_go_one_way(path: Path):
    mine = path.relative_to(CORE).with_suffix("").parts[0]
    uphill = []
    for name in imported(path):
        part = name.split(".")[1] if name.startswith("tunesmith.") else ""
        if LAYERS.get(part, 0) > LAYERS.get(mine, 3):
            uphill.append(name)
    assert not uphill


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CORE)))
def test_the_kernel_imports_none_of_the_other_distributions(path: Path):
    assert not [name for name in imported(path) if name.startswith("tunesmith_")]


def lines_of_code(text: str) -> int:
    """Lines of Python that are neither blank nor only a comment or a docstring: what is explained does not count against the kernel."""
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in blank]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def test_the_kernel_stays_under_ten_thousand_lines_of_code():
    """Lower the bound whenever something has left; it never goes above 10,000."""
    assert lines_of_code('"""Doc."""\n\n# why\nx = """a\nb"""\ndef f():\n    """Doc."""\n    return 1\n') == 4
    assert sum(lines_of_code(path.read_text(encoding="utf-8")) for path in SOURCES) <= 9_999
