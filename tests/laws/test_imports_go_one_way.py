"""Imports go one way, without circles: between modules, between the parts of a distribution, and between distributions."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _tool():
    spec = importlib.util.spec_from_file_location("imports_page", ROOT / "tools" / "imports_page.py")
    module = sys.modules["imports_page"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()
PACKAGES = TOOL.packages()
WITH_API = [name for name, folder in PACKAGES.items() if (folder / "api.py").is_file() or (folder / "api").is_dir()]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str):
    graph = TOOL.module_graph(TOOL.modules(package, PACKAGES[package]))
    assert TOOL.circle(graph) == []
    assert TOOL.circle(TOOL.merged(graph, 2)) == [], "the parts of a distribution"


def test_no_distributions_import_each_other_in_a_circle():
    every = {name: path for package, folder in TOOL.packages().items() for name, path in TOOL.modules(package, folder).items()}
    assert TOOL.circle(TOOL.merged(TOOL.module_graph(every), 1)) == []


def test_a_circle_would_be_found(tmp_path: Path):
    for name, text in {"a": "def f():\n    from made_up import b\n", "b": "from made_up.c import x\n", "c": "import made_up.a\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    graph = TOOL.module_graph(TOOL.modules("made_up", tmp_path))
    assert len(TOOL.circle(graph)) == 4


def test_the_drawing_is_of_what_the_sources_say():
    assert TOOL.PAGE.read_text(encoding="utf-8") == TOOL.page(), "run tools/imports_page.py"


@pytest.mark.parametrize("package", sorted({*WITH_API} - {"tunesmith"}))
def test_others_import_only_the_public_api_of_a_distribution_that_has_one(package: str):
    inner = [
        f"{importer}: {target}"
        for name, folder in TOOL.packages().items()
        if name != package
        for importer, path in TOOL.modules(name, folder).items()
        for target in TOOL.imports(path)
        if target.startswith(f"{package}.") and not f"{target}.".startswith(f"{package}.api.")
    ]
    assert inner == []
