"""Tiny real things that providers are tried on, made once and kept.

One of them: ``python -m tunesmith_sdk.conformance.materials NAME DIRECTORY [AUTHOR]``.

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
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tunesmith.contracts.artifacts import fits
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk import models
from tunesmith_sdk.conformance import teaching, tiny_gguf
from tunesmith_sdk.conformance.teaching import SENTENCES

FORMATS = {"model/hf": "taught", "model/gguf": "gguf", "dataset/chat": "rows", "dataset/preference": "pairs"}
LIMIT = 300  # seconds to make one


class Materials:
    """What there is, by name; made at the first use.

    Args:
        directory: where they are kept, shared by all examinations.
        scratch: where the author's own go.
        author: the author's file, or empty.
    """

    def __init__(self, directory: Path, scratch: Path, author: str) -> None:
        self._directory, self._scratch, self._author = directory / "conformance" / _version(), scratch, author

    def get(self, name: str) -> str:
        """Its path, or ``!`` and why it can't be had."""
        path = self._directory / name
        return str(path) if path.is_dir() else self._made(name, path)

    def source(self, record: ProviderRecord) -> dict[str, str]:
        """An artifact that the provider accepts: its ``source`` and ``source-format``; the author's, where the author gives one."""
        if self._author and "def source(" in Path(self._author).read_text(encoding="utf-8"):
            path = self._made("author", self._scratch / "source" / record.name)
            format = (Path(path) / ".format").read_text() if not path.startswith("!") else ""
            return {"source": path, "source-format": format}
        for format, name in FORMATS.items():
            if record.accepts and fits(format, record.accepts):
                return {"source": self.get(name), "source-format": format}
        return {"source": f"!the kit makes none of {', '.join(record.accepts)}; its author's `source` may", "source-format": ""}

    def _made(self, name: str, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
        try:
            command = [sys.executable, "-m", __name__, name, str(aside), self._author, self.get("taught") if name == "gguf" else ""]
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
            if done.returncode:
                return "!" + (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            if not path.exists():
                os.rename(aside, path)
            return str(path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@cache
def _version() -> str:
    """Names what they follow from: the code that makes them and the libraries it uses."""
    digest = hashlib.sha256()
    for module in (models, teaching, tiny_gguf):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    for name in ("torch", "transformers", "gguf"):
        try:
            digest.update(f"{name}=={version(name)}".encode())
        except PackageNotFoundError:
            digest.update(name.encode())
    return digest.hexdigest()[:12]


def make(name: str, directory: Path, author: str = "", taught: str = "") -> None:
    """Make one of them."""
    if name == "author":
        from tunesmith_sdk.conformance.subject import author_module

        (directory / ".format").write_text(author_module(author).source(directory))
    elif name == "blank":
        models.tiny_model(directory)
    elif name == "taught":
        teaching.teach(models.tiny_model(directory))
    elif name == "gguf":
        tiny_gguf.write(Path(taught), directory / "tiny.gguf")
    else:
        rows = {"rows": _chats(), "pairs": _pairs()}[name]
        (directory / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _said(role: str, text: str) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _chats() -> list[dict[str, object]]:
    return [{"messages": [_said("user", question), _said("assistant", answer)]} for question, answer in SENTENCES]


def _pairs() -> list[dict[str, object]]:
    return [
        {"messages": [_said("user", q)], "chosen": [_said("assistant", a)], "rejected": [_said("assistant", f"not {a}")]}
        for q, a in SENTENCES
    ]


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
