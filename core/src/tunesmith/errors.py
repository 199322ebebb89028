"""Errors that teach: a stable code, what happened, why, and what to do (law L6).

A code names its area and never changes meaning: TS-SPEC (the pipeline file), TS-PLUGIN (plugins and policy),
TS-PLAN (negotiation, formats, estimates), TS-DATA (datasets), TS-MODEL (loading models), TS-RUN (running steps),
TS-STORE (disk and artifacts), TS-ENV (environments), TS-SERVE (endpoints), TS-TRAIN (training), TS-QUANT (quantizing), TS-CLI (the
command line). Each code has a page in docs/errors/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

_FEW = 20  # entries of a value that a sentence may show


class TunesmithError(Exception):
    """Something a person has to know, with what they can do about it.

    Raised by the kernel and by plugins alike; it crosses the worker's socket unchanged.

    Args:
        code: stable identifier such as ``TS-PLAN-012``.
        what: one sentence: what happened, naming the thing (file and line, step, setting).
        why: the reason, when `what` does not already give it.
        fix: what to do, in the imperative; a command to type where there is one.
        user: the user's mistake (exit status 2) rather than a failed run (exit status 1).
        facts: what a program needs that fixes it (`hookspecs.step_failed`); JSON values.
    """

    def __init__(
        self, code: str, what: str, *, why: str = "", fix: str = "", user: bool = False, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {what}")
        self.code, self.what, self.why, self.fix, self.user = code, what, why, fix, user
        self.facts: Mapping[str, Any] = dict(facts or {})

    @property
    def exit_status(self) -> int:
        return 2 if self.user else 1

    def to_json(self) -> dict[str, Any]:
        data = {"code": self.code, "what": self.what, "why": self.why, "fix": self.fix, "user": self.user}
        return data | ({"facts": dict(self.facts)} if self.facts else {})

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TunesmithError:
        """The inverse of `to_json`: a `UserError` for the user's mistake."""
        texts = {name: data.get(name, "") for name in ("why", "fix")}
        facts = found if isinstance(found := data.get("facts"), Mapping) else {}
        if data.get("user"):
            return UserError(data["code"], data["what"], **texts, facts=facts)
        return TunesmithError(data["code"], data["what"], **texts, facts=facts)


class UserError(TunesmithError):
    """A mistake in what the user asked for; found before compute is spent. Exit status 2."""

    def __init__(self, code: str, what: str, *, why: str = "", fix: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, what, why=why, fix=fix, user=True, facts=facts)


class Problems(TunesmithError):
    """Several problems found at once, so that they can be fixed in one go. Exit status 2."""

    def __init__(self, problems: Iterable[TunesmithError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.what, why=first.why, fix=first.fix, user=True)

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"problems": [p.to_json() for p in self.problems]}


def together(problems: Sequence[TunesmithError]) -> TunesmithError:
    """One error of what was found in one pass."""
    return problems[0] if len(problems) == 1 else Problems(problems)


def each(error: TunesmithError) -> tuple[TunesmithError, ...]:
    """The inverse of `together`."""
    return error.problems if isinstance(error, Problems) else (error,)


class Cancelled(Exception):
    """The step was asked to stop; raised by `Step.check_cancelled` and left to pass through."""


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """A sentence offering the known names that `word` was probably meant to be; `otherwise` when none is near."""
    from tunesmith.spelling import near

    meant = near(word, known)
    return "Did you mean " + " or ".join(f"`{name}`" for name in meant) + "?" if meant else otherwise


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence offering the known names that `word` was probably meant to be, or listing all when none is near."""
    names = sorted(set(known))
    return nearest(word, names, "Known: " + (", ".join(names[:20]) or "none") + (", ..." if len(names) > 20 else "."))


def shown(value: Any, most: int = 60) -> str:
    """A value as a pipeline file writes it (``true``, ``null``, ``{r: 8}``), cut after `most` characters; texts are in quotes."""
    text = _written(value, depth=3)
    return text if len(text) <= most else text[: most - 3] + "..."


def _written(value: Any, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, (Mapping, list, tuple)):
        return repr(value)
    if not depth:
        return "..."
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(inner, depth - 1)}" for key, inner in islice(value.items(), _FEW)) + "}"
    return "[" + ", ".join(_written(inner, depth - 1) for inner in value[:_FEW]) + "]"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``, each as code."""
    quoted: Sequence[str] = [f"`{name}`" for name in names]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))
