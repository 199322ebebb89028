"""Tiny real things that providers are tried on, made once and kept; and what a plugin's author gives of that kind.

One of them: ``python -m tunesmith_sdk.conformance.materials.materials NAME DIRECTORY [TAUGHT]``.

Made in a process of their own: the host that starts workers imports no heavy library.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.settings import fill
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk import tiny_models
from tunesmith_sdk.conformance.author_functions import Case, function, given
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, no_material
from tunesmith_sdk.conformance.materials import tiny_gguf, tiny_policies
from tunesmith_sdk.conformance.materials import tiny_trained_model as teaching
from tunesmith_sdk.conformance.materials.tiny_trained_model import SENTENCES

FORMATS = {
    "model/hf": "taught", "model/gguf": "gguf", "dataset/chat": "rows", "dataset/preference": "pairs", "dataset/text": "texts",
    "dataset/labelled": "labelled", "dataset/stepwise": "steps", "dataset/embedding": "embeddings",
    "dataset/unpaired": "judged",
}  # fmt: skip
LIMIT = 300  # seconds to make one
_OF_TAUGHT = ("gguf", "policies")  # what is made of the taught model
#: of the tiny models: heads that every engine has kernels for (vLLM's smallest on a processor has 32), rows that groups of 128 divide
SIZES = {"hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32}


class Materials:
    """What there is, by name; made at the first use.

    Args:
        directory: where they are kept, shared by all examinations.
        scratch: where the author's own go.
        author: the author's file, or empty.
        root: where the plugin's own modules lie, for its author's file to import; None: they are installed.
    """

    def __init__(self, directory: Path, scratch: Path, author: str, root: Path | None = None) -> None:
        self._directory, self._scratch, self._author, self._root = directory / "conformance" / _version(), scratch, author, root
        self._sources: dict[str, dict[str, str]] = {}
        self._said: dict[Path, Any] = {}

    def get(self, name: str) -> str:
        """Its path, or ``!`` and why it can't be had."""
        path = self._directory / name
        return str(path) if path.is_dir() else self._made(name, path)

    def path(self, name: str) -> Path:
        """The same where it must be there.

        Raises:
            NotRun: it can't be had.
        """
        found = self.get(name)
        if found.startswith("!"):
            raise no_material(name, found[1:])
        return Path(found)

    def source(self, record: ProviderRecord, values: Mapping[str, Any]) -> dict[str, str]:
        """An artifact that the provider accepts: its ``source`` and ``source-format``; the author's, where the author gives one.

        Raises:
            NotRun, CheckFailed: see `asked`.
        """
        key = f"{record.kind}.{record.name}"
        if key not in self._sources:
            format, folder = self.asked("source", record, values)
            self._sources[key] = {"source": str(folder), "source-format": str(format)} if format else self._own(record)
        return self._sources[key]

    def _own(self, record: ProviderRecord) -> dict[str, str]:
        for format, name in FORMATS.items():
            if record.accepts and fits(format, record.accepts):
                return {"source": self.get(name), "source-format": format}
        return {"source": f"!the kit makes none of {', '.join(record.accepts)}; its author's `source` may", "source-format": ""}

    def asked(self, function: str, record: ProviderRecord, values: Mapping[str, Any]) -> tuple[Any, Path]:
        """What a function of the author's file gives for a provider, as JSON, and the directory that it was given; None without such.

        Raises:
            NotRun: it needs a library that is not here.
            CheckFailed: it fails.
        """
        folder = self.authors_folder(function, record)
        if folder not in self._said:
            try:
                self._said[folder] = self._ask(function, record, values, folder) if self.gives(function) else None
            except (NotRun, CheckFailed) as error:
                self._said[folder] = error
        if isinstance(said := self._said[folder], Exception):
            raise said
        return said, folder

    def _ask(self, function: str, record: ProviderRecord, values: Mapping[str, Any], folder: Path) -> Any:
        question, environment = self.question(function, record, values, folder)
        done = _run("author", str(question), env=environment)
        if done.returncode:
            raise self.failure(function, done.stderr)
        return json.loads(folder.with_suffix(".said").read_text(encoding="utf-8"))

    def question(
        self, function: str, record: ProviderRecord, values: Mapping[str, Any], folder: Path
    ) -> tuple[Path, Mapping[str, str]]:  # fmt: skip
        """For a process that calls a function of the author's file for a provider: what it is to read (see `call`), and its variables.

        Args:
            folder: does not exist yet; the function's own.
        """
        folder.mkdir(parents=True)
        case = {"kind": record.kind, "name": record.name, "settings": fill(record.schema, values), "directory": str(folder)}
        question = folder.with_suffix(".asked")
        question.write_text(json.dumps([self._author, function, case, str(self._directory.parents[1])]), encoding="utf-8")
        paths = [*filter(None, [self._root and str(self._root), os.environ.get("PYTHONPATH")])]
        return question, os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})

    def failure(self, function: str, errors: str) -> NotRun | CheckFailed:
        """What it is that a function's process failed, by what it wrote to its standard error."""
        why = (errors.strip().splitlines() or ["it ended without a word"])[-1]
        if why.startswith(("ModuleNotFoundError", "ImportError")):
            return NotRun(f"its author's `{function}` needs what is not here: {why}", where="an environment that has it")
        return CheckFailed(f"its author's `{function}` fails: {why}", fix=f"Correct {self._author}.")

    def gives(self, function: str) -> bool:
        """Whether the author's file has such a function."""
        return function in given(self._author)

    def authors_folder(self, function: str, record: ProviderRecord) -> Path:
        return self._scratch / "author" / f"{record.kind}.{record.name}" / function

    def _made(self, name: str, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
        try:
            done = _run(name, str(aside), self.get("taught") if name in _OF_TAUGHT else "")
            if done.returncode:
                return "!" + (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            if not path.exists():
                os.rename(aside, path)
            return str(path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """This module in a process of its own, from which it may be run again; one that takes too long has failed."""
    command = [sys.executable, "-m", "tunesmith_sdk.conformance.materials.materials", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, env=env)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"it took more than {LIMIT} s")


@cache
def _version() -> str:
    """Names what they follow from: the code that makes them and the libraries it uses."""
    digest = hashlib.sha256()
    for module in (tiny_models, teaching, tiny_gguf, tiny_policies):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    for name in ("torch", "transformers", "gguf"):
        try:
            digest.update(f"{name}=={version(name)}".encode())
        except PackageNotFoundError:
            digest.update(name.encode())
    return digest.hexdigest()[:12]


def make(name: str, directory: Path, taught: str = "") -> None:
    """Make one of them."""
    if name == "blank":
        tiny_models.tiny_model(directory, **SIZES)
    elif name == "taught":
        teaching.teach(tiny_models.tiny_model(directory, **SIZES))
    elif name == "gguf":
        tiny_gguf.write(Path(taught), directory / "tiny.gguf")
    elif name == "policies":
        tiny_policies.write(Path(taught), directory)
    else:
        rows = {
            "rows": _chats, "pairs": _pairs, "texts": _texts, "labelled": _labelled, "steps": _steps, "embeddings": _embeddings,
            "judged": _judged,
        }[name]()  # fmt: skip
        (directory / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _said(role: str, text: str) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _chats() -> list[dict[str, object]]:
    return [{"messages": [_said("user", question), _said("assistant", answer)]} for question, answer in SENTENCES]


def _pairs() -> list[dict[str, object]]:
    """Every other one says by how much the chosen answer is better."""
    return [
        {
            "messages": [_said("user", q)], "chosen": [_said("assistant", a)], "rejected": [_said("assistant", f"not {a}")],
            **({"margin": 0.5} if number % 2 else {}),
        }
        for number, (q, a) in enumerate(SENTENCES)
    ]  # fmt: skip


def _texts() -> list[dict[str, object]]:
    return [{"text": answer} for _, answer in SENTENCES]


def _labelled() -> list[dict[str, object]]:
    """Texts and a conversation, of two classes."""
    *texts, (question, _) = SENTENCES
    rows: list[dict[str, object]] = [{"text": answer, "label": "odd" if at % 2 else "even"} for at, (_, answer) in enumerate(texts)]
    return [*rows, {"messages": [_said("user", question)], "label": "odd"}]


def _steps() -> list[dict[str, object]]:
    return [
        {
            "messages": [_said("user", question)],
            "completions": [answer, f"So {answer}"][: 1 + at % 2],
            "labels": [True, False][: 1 + at % 2],
        }
        for at, (question, answer) in enumerate(SENTENCES)
    ]


def _embeddings() -> list[dict[str, object]]:
    return [
        {"anchor": question, "positive": answer, "negatives": [f"not {answer}", "Nobody knows."][: at % 3]}
        for at, (question, answer) in enumerate(SENTENCES)
    ]


def _judged() -> list[dict[str, object]]:
    sides = ("chosen", "rejected")
    return [{"messages": pair["messages"], "answer": pair[side], "label": side == "chosen"} for pair in _pairs() for side in sides]


def call(question: Path) -> Any:
    """Call the function of an author's file that a question names."""
    path, name, case, directory = json.loads(question.read_text(encoding="utf-8"))
    folder = Path(case["directory"])
    materials = Materials(Path(directory), folder, path)
    return function(path, name)(Case(case["kind"], case["name"], case["settings"], folder, folder.with_suffix(".work"), materials.path))


if __name__ == "__main__":
    if sys.argv[1] == "author":
        asked = Path(sys.argv[2])
        asked.with_suffix(".said").write_text(json.dumps(call(asked), default=str), encoding="utf-8")
    else:
        make(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
