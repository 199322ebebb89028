"""Rows to token sequences, once: what was made of the same rows by the same template and objective is found again.

Tokens lie in the step's cache, whole; what a `max_length` leaves of them is decided when they are read. Runs that differ in anything but
the rows, the tokenizer and the objective share them, and so do the ranks of one run: the first makes them, the others wait.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import inspect
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tunesmith.contracts import Artifact, Step, TrainerStrategy
from tunesmith_data.api import CONVERSATIONS, ROWS_FILE, Row, read_rows
from tunesmith_torch.api import Group, Objective
from tunesmith_torch.data import chat_template
from tunesmith_torch.data.chat_template.label_warnings import LabelWarnings
from tunesmith_torch.data.tokenized_dataset import TokenizedDataset, TokenizedDatasetWriter
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer, encoded
from tunesmith_torch.data.vocabulary import check_vocabulary

FORMAT = 5  #: of the files; another one is made anew
KEPT = 8  # sets of tokens that the cache holds
_RECIPE, _WARNINGS = "recipe.json", "warnings.json"  #: beside them: what they were made of, and what is wrong with it
_OF_TOKENIZERS = ("*.json", "*.jinja", "*.txt", "*.model")


def tokenize(name: str, objective: Objective, chat: Any, base: Artifact, step: Step, strategy: TrainerStrategy) -> TokenizedDataset:
    """The groups of the rows of the step's input `name`, in their order, for the model `base`.

    Raises:
        UserError: what the objective raises for a row, with the row's number; TS-DATA-045 when the model has no embedding for a token.
    """
    if step.placement.rank:
        strategy.barrier()
    try:
        rows = _found_or_made(name, objective, chat, base, step)
        check_vocabulary(rows, base, chat.tokenizer)
        return rows
    finally:
        if not step.placement.rank and step.placement.processes > 1:
            strategy.barrier()


def _found_or_made(name: str, objective: Objective, chat: Any, base: Artifact, step: Step) -> TokenizedDataset:
    artifact = step.inputs[name]
    # How many tokens a medium takes follows from its file, which may change under its name.
    shelf = (step.cache if type(chat) is ChatTokenizer else step.work) / "tokens"
    recipe = _recipe(artifact, base, objective, chat)
    place = shelf / hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]
    if not place.exists():
        _make(place, recipe, artifact, objective, chat, step)
        _tidy(shelf)
    os.utime(place)
    found = TokenizedDataset(place)
    for sentence in LabelWarnings(**json.loads((place / _WARNINGS).read_text("utf-8"))).sentences():
        step.log(f"{name}: {sentence}", "warning")
    step.progress(len(found), len(found), what="tokenize", unit="rows")
    return found


def _make(place: Path, recipe: dict[str, Any], artifact: Artifact, objective: Objective, chat: Any, step: Step) -> None:
    """Write the tokens; they are there whole or not at all, whoever else does the same at the same time."""
    draft = place.with_name(f".draft-{uuid.uuid4().hex}")
    try:
        writer, everything = TokenizedDatasetWriter(draft, objective), True
        chat.label_warnings = LabelWarnings()
        for group in _groups(artifact, objective, chat, step):
            writer.add(group)
            everything = everything and all(all(sequence.labels[1:]) for sequence in group.sequences)
        writer.close()
        warnings = LabelWarnings() if everything else chat.label_warnings  # they are of answers
        (draft / _WARNINGS).write_text(json.dumps(dataclasses.asdict(warnings)), encoding="utf-8")
        (draft / _RECIPE).write_text(json.dumps(recipe, indent=1), encoding="utf-8")
        with contextlib.suppress(OSError):  # another one was faster
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _groups(artifact: Artifact, objective: Objective, chat: Any, step: Step) -> Iterator[Group]:
    total = _lines(artifact.path / ROWS_FILE)
    for number, (row, following) in enumerate(_with_next(read_rows(artifact.path)), 1):
        yield encoded(objective, row, chat, number, following)
        if number % 256 == 0 or _has_media(row):
            step.check_cancelled()
            step.progress(number, total, what="tokenize", unit="rows")


def _with_next(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Each row and the one after it, the first after the last."""
    first = before = None
    for row in rows:
        if first is None or before is None:
            first = before = row
            continue
        yield before, row
        before = row
    if first is not None and before is not None:
        yield before, first


def _has_media(row: Row) -> bool:
    return any(part["type"] != "text" for key in CONVERSATIONS for turn in row.get(key, ()) for part in turn["content"])


def _lines(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _recipe(artifact: Artifact, base: Artifact, objective: Objective, chat: Any) -> dict[str, Any]:
    """Everything that the tokens depend on."""
    rows = os.stat(artifact.path / ROWS_FILE)
    kind, settings = type(objective), getattr(objective, "settings", None)
    files = sorted(path for pattern in _OF_TOKENIZERS for path in base.path.glob(pattern))
    return {
        "format": FORMAT, "rows": [artifact.digest, rows.st_size, rows.st_mtime_ns],
        "objective": f"{kind.__module__}:{kind.__qualname__} {settings!r}",
        "code": [_hash_of(path) for path in (*_code_of(kind), *map(_file_of, (type(chat), ChatTokenizer)), *_modules(chat_template))],
        "libraries": {library: importlib.metadata.version(library) for library in ("tokenizers", "transformers")},
        "tokenizer": {path.name: _hash_of(path) for path in files},
    }  # fmt: skip


def _code_of(kind: type) -> list[Path]:
    """The modules beside an objective's class, and beside those that it is made of."""
    folders = {_file_of(one).parent for one in kind.__mro__ if one.__module__ not in ("builtins", "typing")}
    return sorted(path for folder in folders for path in folder.glob("*.py"))


def _file_of(kind: type) -> Path:
    return Path(inspect.getfile(kind))


def _modules(package: ModuleType) -> list[Path]:
    return sorted(Path(str(package.__file__)).parent.glob("*.py"))


def _hash_of(path: Path | str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _tidy(shelf: Path) -> None:
    """Remove the sets that were not used for longest. One that another process reads stays readable: its files are open."""
    sets = sorted((path for path in shelf.iterdir() if not path.name.startswith(".")), key=lambda path: path.stat().st_mtime)
    for path in sets[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
