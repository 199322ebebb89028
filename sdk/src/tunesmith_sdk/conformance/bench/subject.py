"""What a check in a worker is given: the provider under test, and tiny real things to try it on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Step
from tunesmith.contracts.settings import fill
from tunesmith.isolation.provider_import import build_provider, load, settings_of
from tunesmith.isolation.worker_step import Notify, WorkerStep
from tunesmith_sdk.conformance.author_functions import KEPT, Case, function, given, missing, reach
from tunesmith_sdk.conformance.bench.request import Request
from tunesmith_sdk.conformance.checks import NotRun, no_material


class Subject:
    """A provider under test, in a worker that a real host has started.

    Args:
        step: the running step; its settings are a `Request`.
    """

    def __init__(self, step: Step, request: Request) -> None:
        self.step, self.request, self.record, self.values = step, request, request.provider(), dict(request.values)
        self._source: Artifact | None = None
        self.effect: Mapping[str, Any] = {}  #: of the setting that is looked at, as its author declares it
        self.notes: dict[str, Any] = {}  #: what a check found, for the report
        reach(request.author)

    def build(self, **changes: Any) -> Any:
        """A new provider, with the settings of the examination and `changes`; of a verb, these settings."""
        if self.record.kind == "verb":
            return settings_of(self.record.settings, {**self.values, **changes}, self.record.distribution)
        return build_provider(self.record.target, self.record.settings, {**self.values, **changes}, self.record.distribution)

    def estimator(self) -> Any:
        return load(self.record.estimator, self.record.distribution)

    def folder(self, name: str) -> Path:
        """A new empty directory."""
        parent = self.step.work / KEPT
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))

    def elsewhere(self, work: Path | None = None) -> Subject:
        """The same provider in a step of its own, with a new output, and a new work directory unless one is given."""
        step: Any = self.step
        other = WorkerStep(
            name=step.name, output=self.folder("output"), work=work or self.folder("work"), inputs=step.inputs, settings=step.settings,
            seed=step.seed, placement=step.placement, notify=step.notify, cancelled=step.cancelled,
        )  # fmt: skip
        return Subject(other, self.request)

    def varied(self, values: Mapping[str, Any], effect: Mapping[str, Any], notify: Notify) -> Subject:
        """The same elsewhere with other settings, told to look where an effect is to show; what the step reports goes to `notify`."""
        other = self.elsewhere()
        other.values, other.effect = dict(values), effect
        other.step.notify = notify  # type: ignore[attr-defined]
        return other

    def with_request(self, request: Request) -> Subject:
        """The same step with another request."""
        return Subject(self.step, request)

    def material(self, name: str) -> Path:
        """A directory that the kit made: ``taught`` and ``blank`` (tiny models), ``rows`` (a dataset).

        Raises:
            NotRun: it could not be made, with the reason.
        """
        found = self.request.materials.get(name, "!nobody made it")
        if found.startswith("!"):
            raise no_material(name, found[1:])
        return Path(found)

    def source(self) -> Artifact:
        """An artifact of a format that the provider accepts: a copy of this subject's own, lest a faulty provider spoils the kit's."""
        if self._source is None:
            folder = self.folder("source")
            shutil.copytree(self.material("source"), folder, dirs_exist_ok=True)
            self._source = Artifact(self.request.materials.get("source-format", "model/hf"), folder)
        return self._source

    def model(self, name: str = "taught") -> Any:
        """A fresh copy of a tiny model, in float32 and evaluation mode."""
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(self.material(name)).eval()

    def tolerance(self, check: str, default: float) -> float:
        """What the author declares for a check, else the kit's own."""
        return float(self.request.tolerances.get(check, default))

    def author(self, name: str, *arguments: Any) -> Any:
        """What a function of the author's own file gives for this provider (see `tunesmith_sdk.conformance.author_functions`).

        Raises:
            NotRun: there is no such function, it has nothing for this provider, or its file imports what this environment has not.
        """
        said = self.asked(name, *arguments)
        if said is None:
            raise missing(name)
        return said

    def asked(self, name: str, *arguments: Any) -> Any:
        """The same; None where there is no such function or it has nothing for this provider."""
        path = self.request.author
        try:
            asked = function(path, name) if name in given(path) else None
        except ModuleNotFoundError as error:
            raise NotRun(f"its author's `{name}` needs what is not here: {error}", where="an environment that has it") from error
        return asked(self.case(), *arguments) if asked else None

    def case(self) -> Case:
        """This provider, as its author's functions are told of it."""
        settings = fill(self.record.schema, self.values)
        return Case(self.record.kind, self.record.name, settings, self.folder("author"), self.step.work, self.material)


def contents(directory: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file below a directory."""
    files = (path for path in sorted(Path(directory).rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def differing(one: dict[str, str], other: dict[str, str]) -> str:
    """The files in which two directories differ, as a phrase; empty if they don't."""
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
