"""The pipeline as its user wrote it: a file or a mapping, checked as far as it can be without knowing any plugin."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.config import PIPELINE_FILE
from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import TunesmithError, UserError, did_you_mean, shown
from tunesmith.planning.problems import Notes

TOP_KEYS = ("name", "model", "seed", "device", "executor", "ignore_estimates", "steps")
MODEL = "model"  #: how steps call the pipeline's model; no step can have this name
STEP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
LARGEST_SEED = 2**31 - 1
_NO_TEXT = "It holds half a character, or bytes that are not UTF-8."


@dataclass(frozen=True)
class PipelineSpec:
    """A pipeline before planning.

    Args:
        name: of the pipeline.
        model: URI of the model that it starts from, or empty.
        steps: step name -> what was written there, in the file's order.
        base: directory that relative paths start from.
        path: the file, or None for one made in Python.
        executor: where steps run that do not say so themselves, as it was written.
        ignore_estimates: refuse nothing for want of memory or disk.
        more: what stands below other keys: a kind that listens may have one (see `tunesmith.planning.listeners`).
        problems: what is wrong with it; the rest of it can be judged all the same, so planning tells it with what it finds.
        lines: path of keys -> line from 1; empty for one made in Python.
        text: the file's, as it was read.
    """

    name: str
    model: str
    steps: Mapping[str, Mapping[str, Any]]
    base: Path
    seed: int = 0
    device: str = "auto"
    executor: Any = None
    path: Path | None = None
    lines: Mapping[tuple[Any, ...], int] = field(default_factory=dict)
    text: str = ""
    ignore_estimates: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[TunesmithError, ...] = ()

    @property
    def place(self) -> Path:
        """By which the project that the pipeline belongs to is found."""
        return self.path or self.base

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], base: Path, *, name: str = "pipeline") -> PipelineSpec:
        """The pipeline that a mapping of the file's grammar describes.

        Raises:
            Problems: TS-SPEC-005 when it holds what no pipeline file could, or nothing of a pipeline.
        """
        notes = Notes()
        plain = _plain(data, (), notes)
        notes.raise_problems()
        return _checked(plain, {}, base, None, name, notes)

    def where(self, *path: Any) -> str:
        """The place of a value for an error: ``tunesmith.yaml:12``, or its path of keys where there is no file, or no lines of it."""
        if self.path is None:
            return dotted(path) or "pipeline"
        if not self.lines:
            return f"{self.path.name}: {dotted(path)}"
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path.name}:{self.lines.get(path, 1)}"


def load_pipeline(path: Path) -> PipelineSpec:
    """Read a pipeline file, or the `tunesmith.yaml` of a folder.

    Raises:
        UserError: TS-SPEC-001 when it can't be read, TS-SPEC-002 when it is not YAML.
        Problems: TS-SPEC-005 when it holds nothing of a pipeline.
    """
    from tunesmith.planning.pipeline.yaml_lines import load_lines

    path = Path(os.path.abspath(path))
    if not _is_text(str(path)):
        raise UserError("TS-SPEC-001", f"The pipeline file {path} can't be used", why=_NO_TEXT, fix="Rename it, or the folder.")
    if os.path.isdir(path):
        path = path / PIPELINE_FILE
    try:
        with open_regular(path) as file:
            text = file.read().decode("utf-8-sig")
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        fix = did_you_mean(path.name, near) if near else "Give the path of a pipeline file, or change to its directory."
        raise UserError("TS-SPEC-001", f"There is no pipeline file {path}", fix=fix) from None
    except (OSError, UnicodeError, ValueError) as error:
        why = "It is not UTF-8 text." if isinstance(error, UnicodeError) else str(getattr(error, "strerror", None) or error)
        raise UserError("TS-SPEC-001", f"The pipeline file {path} can't be read", why=why, fix="Give a YAML file in UTF-8.") from None
    data, lines, problems = load_lines(text, path.name)
    name = path.parent.name if path.stem == "tunesmith" else path.stem
    return replace(_checked(data, lines, path.parent, path, name, Notes([*problems])), text=text)


def dotted(path: tuple[Any, ...]) -> str:
    """``("steps", "tune", 0)`` as ``steps.tune[0]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _checked(
    data: Any, lines: Mapping[tuple[Any, ...], int], base: Path, path: Path | None, name: str, notes: Notes
) -> PipelineSpec:  # fmt: skip
    if not isinstance(data, Mapping):
        example = "steps:\n  tune: {train: ..., data: train.jsonl}"
        what = f"{path.name if path else 'The pipeline'} holds no pipeline"
        notes.problem("TS-SPEC-005", what, why="It should be a mapping with `steps`.", fix=f"Write at least:\n{example}")
        notes.raise_problems()
    spec = PipelineSpec("", "", {}, base, path=path, lines=lines)
    more = {key: value for key, value in data.items() if key not in TOP_KEYS}
    found = {
        key: _expect(data, key, kind, default, spec, notes)
        for key, kind, default in (
            ("name", str, name or "pipeline"),
            ("model", str, ""),
            ("device", str, "auto"),
            ("ignore_estimates", bool, False),
            ("steps", Mapping, {}),
        )
    }
    seed = seed_of(data, (), 0, spec, notes)
    steps = found["steps"]
    if not steps and not notes.problems:
        other = f", but `{next(iter(more))}`" if more else ""
        notes.problem("TS-SPEC-005", f"{spec.where('steps')}: there are no steps{other}", fix="Name at least one under `steps:`.")
    for step, value in steps.items():
        where = spec.where("steps", step)
        if step == MODEL or not STEP_NAME.fullmatch(step):
            why = (
                f"`{MODEL}` is what the pipeline's model is called." if step == MODEL else "It is a letter, then letters, digits, - and _."
            )
            notes.problem("TS-SPEC-007", f"{where}: a step can't be called `{step}`", why=why, fix="Rename the step.")
        if not isinstance(value, Mapping):
            notes.problem(
                "TS-SPEC-005", f"{where}: the step `{step}` should be a mapping with a verb", fix=f"Write `{step}: {{verb: provider}}`."
            )
    steps = {name: value for name, value in steps.items() if name != MODEL}  # elsewhere the word means the pipeline's model
    if not steps:
        notes.raise_problems()
    return PipelineSpec(
        found["name"], found["model"], steps, base, seed, found["device"], data.get("executor"), path, lines,
        ignore_estimates=bool(found["ignore_estimates"]), more=more, problems=tuple(notes.problems),
    )  # fmt: skip


def _expect(data: Mapping[str, Any], key: str, kind: type, default: Any, spec: PipelineSpec, notes: Notes) -> Any:
    value = data.get(key)
    if value is None:
        return default
    if isinstance(value, kind) and (value or kind is not str):
        return value
    wanted = {str: "text", bool: "true or false"}.get(kind, "a mapping")
    notes.problem(
        "TS-SPEC-005", f"{spec.where(key)}: `{key}` should be {wanted}, got `{shown(value, 40)}`", fix=f"Give {wanted}, or leave it out."
    )
    return default


def seed_of(data: Mapping[str, Any], path: tuple[Any, ...], default: int, spec: PipelineSpec, notes: Notes) -> int:
    """The `seed` of a pipeline or a step."""
    seed = data.get("seed")
    if seed is None:
        return default
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        what = f"{spec.where(*path, 'seed')}: `seed` should be a whole number from 0 to {LARGEST_SEED}, got `{shown(seed, 40)}`"
        notes.problem("TS-SPEC-005", what, fix="Give such a number, or leave it out.")
        return default
    return seed


def _plain(value: Any, path: tuple[Any, ...], notes: Notes) -> Any:
    """A Python value as YAML would have given it."""
    if isinstance(value, str) and not _is_text(value):
        notes.problem("TS-SPEC-005", f"{dotted(path)}: `{shown(value, 40)}` is no text", why=_NO_TEXT, fix="Rename what it names.")
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if len(path) > 100:
        raise UserError("TS-SPEC-005", f"`{dotted(path[:3])}` is nested too deeply", fix="Give plain values.")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or not _is_text(key):
                notes.problem(
                    "TS-SPEC-005", f"{dotted((*path, ascii(key)))}: a key should be text, got `{shown(key, 40)}`", fix="Use text."
                )
        return {str(key): _plain(item, (*path, str(key)), notes) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, index), notes) for index, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    notes.problem("TS-SPEC-005", f"{dotted(path) or 'pipeline'}: `{shown(value, 40)}` is nothing that a pipeline file could hold",
                  fix="Give text, a number, true or false, a list or a mapping.")  # fmt: skip
    return None


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
