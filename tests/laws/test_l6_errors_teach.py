"""L6: errors teach. Every code has a page, every page a code; a user's mistake gets a coded message, exit status 2 and no traceback."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith_cli.api import main

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "errors"
SOURCES = [*ROOT.glob("core/src"), *ROOT.glob("cli/src"), *ROOT.glob("sdk/src"), *ROOT.glob("plugins/*/*/src")]
CODE = re.compile(r"TS-[A-Z]+-\d{3}")


def strings(text: str) -> Iterator[str]:
    """The strings of a module that it may show to somebody: all but its docstrings."""
    docstrings: set[int] = set()  # walked from the outside in: a body is met before what it holds
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.body and isinstance(node.body[0], ast.Expr):
                docstrings.add(id(node.body[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@functools.cache  # it parses every module that has one
def used() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in (path for source in SOURCES for path in source.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for text in strings(source) if CODE.search(source) else ():
            for code in CODE.findall(text):
                found.setdefault(code, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_code_has_a_page_that_says_what_to_do():
    missing = {code: sorted(where) for code, where in used().items() if not (PAGES / f"{code}.md").is_file()}
    assert not missing


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_belongs_to_a_code_and_teaches(page: Path):
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}"), "its title is the code"
    assert len(text.split()) >= 20, "it says more than the message does"
    assert page.stem in used(), "a page without a use is a promise that nothing keeps"


GOOD = "name: p\nmodel: file://m\nsteps:\n  out: {export: auto}\n"
MISTAKES = {
    "an unknown command": ("rn",),
    "an unknown option": ("run", "--jsn"),
    "an unknown option before the command": ("--jsn", "run"),
    "an option without its value": ("run", "--set"),
    "no pipeline file": ("run", "absent.yaml"),
    "a pipeline that is no YAML": ("plan", "broken.yaml"),
    "a pipeline that is a list": ("plan", "list.yaml"),
    "a misspelt key": ("plan", "key.yaml"),
    "a misspelt provider": ("plan", "provider.yaml"),
    "a cycle": ("plan", "cycle.yaml"),
    "a step there twice": ("plan", "twice.yaml"),
    "a model that is not there": ("plan", "good.yaml"),
    "a directory as a pipeline": ("run", "empty"),
    "bytes as a pipeline": ("run", "bytes.yaml"),
    "--set without a value": ("plan", "good.yaml", "--set", "steps.out"),
    "--set into nothing": ("plan", "good.yaml", "--set", "stps.out=1"),
    "--set of nonsense": ("plan", "good.yaml", "--set", "steps={{"),
    "a run that is not there": ("resume", "2020"),
    "no run at all": ("runs", "show"),
    "data that is not there": ("data", "inspect", "absent.jsonl"),
    "data that is a directory": ("data", "inspect", "empty"),
    "an address that is none": ("chat", "--url", "nonsense", "-m", "hi"),
    "an endpoint that is down": ("chat", "--url", "http://127.0.0.1:9/v1", "-m", "hi"),
    "nobody to chat with": ("chat", "-m", "hi"),
    "a download from nowhere": ("download", "nowhere://x"),
    "a plugin that is not there": ("plugin", "info", "absent"),
    "an unknown subcommand": ("plugin", "lst"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "empty").mkdir()
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for name, text in {
        "good": GOOD, "broken": "steps: {", "list": "- a\n", "key": GOOD + "stepz: 1\n", "provider": GOOD.replace("auto", "absent"),
        "cycle": "steps:\n  a: {export: auto, from: b}\n  b: {export: auto, from: a}\n", "twice": GOOD + "  out: {export: auto}\n",
    }.items():  # fmt: skip
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_a_code_a_remedy_and_no_traceback(
    mistake: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(project)
    monkeypatch.setenv("TUNESMITH_CACHE", str(project / "cache"))
    monkeypatch.setenv("TUNESMITH_HOME", str(project / "home"))
    status = main(MISTAKES[mistake])
    out, err = capsys.readouterr()
    assert status == 2, out + err
    assert CODE.search(err), out + err
    assert "fix:" in err, out + err
    assert "Traceback" not in out + err


def test_what_nobody_foresaw_is_one_line_and_its_traceback_is_in_a_file(tmp_path: Path):
    broken = (
        "import sys, tunesmith_cli.commands.doctor as d; d.facts = None; from tunesmith_cli.main import main; sys.exit(main(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"TUNESMITH_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "TS-RUN-099" in done.stderr
    assert "Traceback" not in done.stderr
    (log,) = (tmp_path / "cache" / "internal-errors").iterdir()
    assert str(log) in done.stderr
    assert "Traceback" in log.read_text()
