"""Checkpoints: directories that are there whole or not at all, without pickles.

``step-00000120/`` holds one safetensors file per part (``model``, ``optimizer``) and ``state.json`` with the loop's position, its history
and the SHA-256 of the files. It is written under another name, flushed to the disk and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Tensors = dict[str, dict[str, torch.Tensor]]
STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """What a resumed run starts from: `tensors` by part, `state` whatever the loop put there."""

    step: int
    tensors: Tensors
    state: Mapping[str, Any]


class Checkpoints:
    """The checkpoints of one step.

    Args:
        directory: where they lie; made when needed.
        keep: how many to keep.
    """

    def __init__(self, directory: Path, *, keep: int, log: Callable[[str], None]) -> None:
        self.directory, self.keep, self.log = directory, keep, log

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; when this returns it is on the disk, and the oldest ones are gone."""
        self.directory.mkdir(parents=True, exist_ok=True)
        final = self.directory / f"step-{checkpoint.step:08d}"
        draft = self.directory / f".draft-{checkpoint.step:08d}"
        for leftover in (draft, final):
            shutil.rmtree(leftover, ignore_errors=True)
        draft.mkdir()
        digests = {}
        for part, tensors in checkpoint.tensors.items():
            file = draft / f"{part}.safetensors"
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, file)
            digests[part] = _digest(file)
        text = json.dumps({"step": checkpoint.step, "files": digests, "state": checkpoint.state})
        (draft / STATE).write_text(text, encoding="utf-8")
        for path in [*draft.iterdir(), draft]:
            _flush(path)
        draft.rename(final)
        _flush(self.directory)
        for old in self._found()[: -self.keep]:
            shutil.rmtree(old)

    def newest(self) -> Checkpoint | None:
        """The newest one that is whole; broken ones are named in the log and passed over."""
        for path in reversed(self._found()):
            try:
                return _read(path)
            except Exception as error:  # whatever a torn or overwritten file makes the readers raise
                self.log(f"the checkpoint {path.name} is broken and was passed over: {error}")
        return None

    def at(self, step: int) -> Checkpoint:
        """The one made after `step`.

        Raises:
            OSError, ValueError: it is not there, or broken.
        """
        return _read(self.directory / f"step-{step:08d}")

    def forget(self, step: int) -> None:
        """Remove those made after `step`."""
        for path in self._found():
            if _number(path) > step:
                shutil.rmtree(path)

    def forget_before(self, step: int) -> None:
        """Remove those made before `step`."""
        for path in self._found():
            if _number(path) < step:
                shutil.rmtree(path)

    def _found(self) -> list[Path]:
        return sorted(self.directory.glob("step-*"))


def _number(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _read(path: Path) -> Checkpoint:
    saved = json.loads((path / STATE).read_text(encoding="utf-8"))
    tensors: Tensors = {}
    for part, digest in saved["files"].items():
        file = path / f"{part}.safetensors"
        if _digest(file) != digest:
            raise ValueError(f"{file.name} is not what was written")
        tensors[part] = load_file(file)
    return Checkpoint(saved["step"], tensors, saved["state"])


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
