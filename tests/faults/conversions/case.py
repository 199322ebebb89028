"""A planted fault or a harmless change: how a child comes of its parent, and what must be said of it.

Parent and child are directories in Hugging Face's layout (config, safetensors, tokenizer), or in PEFT's (adapter_config.json, which names
its base).
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FAULTS: dict[str, Case] = {}
HARMLESS: dict[str, Case] = {}

Make = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Verdict:
    """What a check says of a child.

    Args:
        passed: whether it may be published.
        by: who refuses it: ``audit`` (of its files) or ``gate`` (of its behaviour); nothing if it passed.
        reasons: why, each a sentence.
    """

    passed: bool
    by: str = ""
    reasons: tuple[str, ...] = ()


#: ``check(parent, child, changed)``; `changed`: whether the child is what training gave, which must not be its parent
Check = Callable[[Path, Path, bool], Verdict]


@dataclass(frozen=True)
class Case:
    """Args:
    name: of the case.
    sentence: what happened to the child.
    thread: where the field met it (`repository#number`), if anywhere that we know.
    parent: which of the parents in parent_models.py.
    shows: in what parent and child differ, as behaviour.py says it; for a harmless change in nothing.
    caught_by: who can see a fault at the latest: ``audit``, which reads files, or ``gate``, which asks both models. A fault of the
        ``audit`` may show in answers, too, but need not.
    bits: of the quantized format that the child's weights have been through; None if they lose no more than a change of dtype does.
    changed: whether the child is one that must not answer as its parent does: what training gave.
    make: makes the child's directory of the parent's.
    """

    name: str
    sentence: str
    parent: str
    make: Make = field(repr=False)
    shows: str = ""
    caught_by: str = ""
    thread: str = ""
    bits: int | None = None
    changed: bool = False

    def plant(self, parent: Path, child: Path) -> Path:
        """The child's directory, made anew."""
        self.make(parent, child)
        return child


def fault(
    parent: str, shows: str, caught_by: str, *, thread: str = "", bits: int | None = None, changed: bool = False
) -> Callable[[Make], Make]:
    """Add a function ``(parent, child)`` as a planted fault; its docstring is the sentence."""

    def add(make: Make) -> Make:
        case = Case(_name(make), inspect.getdoc(make) or "", parent, make, shows, caught_by, thread, bits, changed)
        assert FAULTS.setdefault(case.name, case) is case, case.name
        return make

    return add


def harmless(parent: str = "llama", *, bits: int | None = None) -> Callable[[Make], Make]:
    """Add a function ``(parent, child)`` as a harmless change; its docstring is the sentence."""

    def add(make: Make) -> Make:
        case = Case(_name(make), inspect.getdoc(make) or "", parent, make, bits=bits)
        assert HARMLESS.setdefault(case.name, case) is case, case.name
        return make

    return add


def copy(parent: Path, child: Path) -> Path:
    """The child as an exact copy of its parent, to be changed."""
    shutil.copytree(parent, child)
    return child


def _name(make: Make) -> str:
    return make.__name__.replace("_", "-")
