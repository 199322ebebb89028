"""Checkpoints: directories that are there whole or not at all, without pickles.

``step-00000120/`` holds the strategy's state in ``parameters/``, what an adapter and an objective keep beside it in
``adapter.safetensors`` and ``objective.safetensors``, and ``state.json`` with the loop's position, its history and the SHA-256 of the
files. It is written under another name, flushed to the disk and renamed. All ranks see the same directory; each hashes its share of the
files.
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

from tunesmith_torch.training.checkpoint.ranks import Ranks

PARAMETERS, ADAPTER, OBJECTIVE, STATE = "parameters", "adapter.safetensors", "objective.safetensors", "state.json"
_HASHES = ".sha256"  # of one rank's share, until the first has put them together


@dataclass(frozen=True)
class Checkpoint:
    """One that was found whole: `state` is whatever the loop put there."""

    step: int
    directory: Path
    state: Mapping[str, Any]

    @property
    def parameters(self) -> Path:
        """What the strategy wrote, to be read by it."""
        return self.directory / PARAMETERS

    def tensors(self, file: str) -> dict[str, torch.Tensor]:
        """What the adapter or the objective keeps, by name."""
        return load_file(self.directory / file) if (self.directory / file).exists() else {}


class Checkpoints:
    """The checkpoints of one step. Every rank calls the methods, in the same order.

    Args:
        directory: where they lie; made when needed.
        keep: how many to keep.
    """

    def __init__(self, directory: Path, *, keep: int, log: Callable[[str], None], ranks: Ranks) -> None:
        self.directory, self.keep, self.log, self.ranks = directory, keep, log, ranks

    def save(
        self, step: int, write: Callable[[Path], None], beside: Mapping[str, Mapping[str, torch.Tensor]], state: Mapping[str, Any]
    ) -> None:  # fmt: skip
        """Write a checkpoint; when this returns it is on the disk, and the oldest ones are gone.

        Args:
            write: puts the parameters into an empty directory.
            beside: file -> tensors by name.
        """
        final, draft = self.directory / f"step-{step:08d}", self.directory / f".draft-{step:08d}"
        if self.ranks.first:
            for leftover in (draft, final):
                shutil.rmtree(leftover, ignore_errors=True)
            (draft / PARAMETERS).mkdir(parents=True)
        self.ranks.barrier()
        write(draft / PARAMETERS)
        for file, tensors in beside.items() if self.ranks.first else ():
            if tensors:
                save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, draft / file)
        self.ranks.barrier()
        own = {path.relative_to(draft).as_posix(): _hash_of(path) for path in self.ranks.share(_files(draft))}
        if self.ranks.count > 1:
            (draft / f"{self.ranks.rank}{_HASHES}").write_text(json.dumps(own), encoding="utf-8")
            self.ranks.barrier()
        if self.ranks.first:
            self._publish(step, draft, final, own, state)
        self.ranks.barrier()

    def _publish(self, step: int, draft: Path, final: Path, hashes: dict[str, str], state: Mapping[str, Any]) -> None:
        for path in draft.glob(f"*{_HASHES}"):
            hashes |= json.loads(path.read_text(encoding="utf-8"))
            path.unlink()
        (draft / STATE).write_text(json.dumps({"step": step, "files": hashes, "state": state}), encoding="utf-8")
        for path in [*draft.rglob("*"), draft]:
            _flush(path)
        draft.rename(final)
        _flush(self.directory)
        for old in self._found()[: -self.keep]:
            shutil.rmtree(old)

    def newest(self) -> Checkpoint | None:
        """The newest one that is whole; broken ones are named in the log and passed over."""
        for path in reversed(self._found()):
            found, problem = None, ""
            try:
                found = self._read(path)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # what torn or overwritten files come to
                problem = str(error)
            if self.ranks.all(found is not None):
                return found
            self.log(f"the checkpoint {path.name} is broken and was passed over: {problem or 'another process found it so'}")
        return None

    def at(self, step: int) -> Checkpoint:
        """The one made after `step`.

        Raises:
            OSError, ValueError: it is not there, or broken.
        """
        return self._read(self.directory / f"step-{step:08d}")

    def forget(self, step: int) -> None:
        """Remove those made after `step`."""
        self._remove(lambda number: number > step)

    def forget_before(self, step: int) -> None:
        """Remove those made before `step`."""
        self._remove(lambda number: number < step)

    def _remove(self, wanted: Callable[[int], bool]) -> None:
        if self.ranks.first:
            for path in self._found():
                if wanted(_number(path)):
                    shutil.rmtree(path)

    def _found(self) -> list[Path]:
        return sorted(self.directory.glob("step-*"))

    def _read(self, path: Path) -> Checkpoint:
        saved = json.loads((path / STATE).read_text(encoding="utf-8"))
        for name in self.ranks.share(sorted(saved["files"])):
            if _hash_of(path / name) != saved["files"][name]:
                raise ValueError(f"{name} is not what was written")
        return Checkpoint(saved["step"], path, saved["state"])


def _number(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _files(directory: Path) -> list[Path]:
    """All but the hashes of ranks that were faster, so that every rank sees the same."""
    hashes = set(directory.glob(f"*{_HASHES}"))
    return sorted(path for path in directory.rglob("*") if path.is_file() and path not in hashes)


def _hash_of(path: Path) -> str:
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
