"""A project as a newcomer has one: a pipeline, rows, a tiny model; and the real command, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tunesmith_cli.api import main

GOOD = """\
name: bot
model: file://model
steps:
  tune: {train: sft, adapter: {lora: {r: 4}}, data: train.jsonl, settings: {max_steps: 3}}
"""
ROWS = [{"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(12)]
PAGES = Path(__file__).parents[3] / "docs" / "errors"

# what the tests' own process may have set (libraries imported by other tests), and a user's shell has not
OURS = ("TUNESMITH_HOME", "TUNESMITH_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


@dataclass
class Answer:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        return re.findall(r"^(?:error| ?\d+\.) (TS-[A-Z]+-\d{3}):", self.err, re.MULTILINE)

    @property
    def offers(self) -> list[str]:
        """The first name of each "Did you mean"."""
        return re.findall(r"[Dd]id you mean (?:it by )?`([^`]+)`", self.err)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


def answered(status: int, out: str, err: str) -> Answer:
    assert "Traceback" not in out + err, err
    return Answer(status, out, err)


class Project:
    """A directory with `tunesmith.yaml`, `train.jsonl` and `model/`."""

    def __init__(self, folder: Path, model: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        (folder / "model").symlink_to(model)
        self.variables: dict[str, str] = {}
        self.pipeline(GOOD)
        self.write("train.jsonl", rows(ROWS))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def pipeline(self, text: str) -> None:
        self.write("tunesmith.yaml", text)

    @property
    def own(self) -> dict[str, str]:
        places = {"TUNESMITH_CACHE": str(self.cache), "XDG_CONFIG_HOME": str(self.folder)}
        return {**places, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **self.variables}

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name not in OURS} | self.own

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """The command, running."""
        command = [sys.executable, "-m", "tunesmith_cli", *words]
        piped = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **(piped | more))

    def __call__(self, *words: str, **more: Any) -> Answer:
        """The command; in a process of its own where it is to have other files or limits, for a start takes longer than finding most
        mistakes."""
        return self.apart(*words, **more) if more else self._here(*words)

    def apart(self, *words: str, **more: Any) -> Answer:
        """The command in a process of its own."""
        with self.start(*words, **more) as process:
            out, err = process.communicate()
        return answered(process.returncode, out, err)

    def _here(self, *words: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, open(os.devnull) as nothing, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "stdin", nothing)
            for name in OURS:
                patch.delenv(name, raising=False)
            for name, value in self.own.items():
                patch.setenv(name, value)
            before = set(sys.modules)
            if site := self.variables.get("PYTHONPATH"):
                patch.syspath_prepend(site)
            status = main(words)
            for name in {name for name in sys.modules if name.startswith("acme_")} - before:
                del sys.modules[name]
        return answered(status, out.getvalue(), err.getvalue())

    def refuses(self, *words: str, codes: str | list[str], says: tuple[str, ...] | list[str] = ()) -> Answer:
        """The command is the user's mistake: exit status 2, these codes, each with a fix and a page, and nothing was begun."""
        answer = self(*(words or ("run",)))
        assert answer.status == 2, answer.out + answer.err
        wanted = [codes] if isinstance(codes, str) else list(codes)
        assert answer.codes == wanted, answer.err
        assert answer.err.count("fix:") >= len(wanted), answer.err
        assert all((PAGES / f"{code}.md").is_file() for code in wanted), "every code has its page"
        for word in says:
            assert word in answer.err, f"{word!r} is not in\n{answer.err}"
        assert not self.begun, "a run was begun"
        return answer

    def plans(self) -> Answer:
        """The pipeline is right now."""
        answer = self("plan")
        assert answer.status == 0, answer.err
        return answer

    @property
    def begun(self) -> bool:
        """Whether a run of this project ever began."""
        home = self.folder / ".tunesmith"
        return (home / "runs").exists() or (home / "journal.sqlite").exists() or (home / "work").exists()


def rows(items: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


@pytest.fixture(scope="session")
def tiny(tiny_model: Callable[..., Path]) -> Path:
    return tiny_model()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, tiny: Path, cache: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, tiny, cache)


@pytest.fixture
def whole_model(project: Project, tiny: Path) -> Path:
    """The project's model as files of its own, which a test may spoil."""
    (project.folder / "model").unlink()
    return Path(shutil.copytree(tiny, project.folder / "model"))
