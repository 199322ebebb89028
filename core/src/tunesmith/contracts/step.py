"""What a verb's `run` and a provider's methods are given in the worker: the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tunesmith.contracts.artifacts import Artifact


@dataclass(frozen=True)
class Placement:
    """Where a step runs.

    Args:
        device: name of the device backend (``cpu``).
        torch: the name that torch has for it.
        dtypes: dtypes that the device computes in natively, as its backend says; `compute_type` chooses among them.
        rank, processes: of a step that runs as several processes, one worker each; only rank 0's reports are shown.
        rendezvous: the address at which the ranks meet, as `torch.distributed` takes it (``file://...``, ``tcp://...``); empty for one
            process. A file's path stands in it as it is, for torch decodes no ``%20``.
    """

    device: str = "cpu"
    torch: str = "cpu"
    rank: int = 0
    processes: int = 1
    rendezvous: str = ""
    dtypes: tuple[str, ...] = ("float32",)


class Step(Protocol):
    """A running step, as its code sees it.

    `output` becomes the artifact when `run` returns; it is empty at the start, also after a crash. `work` keeps what it holds over
    crashes and resumes of the same step (checkpoints, partial downloads) and is gone once the artifact is committed. `cache` is one for all
    steps of a project, for what can be made again: it may be emptied at any time between two steps, and others use it at the same time.
    `refresh` says that the user asked for everything anew (``--refresh``): what was remembered outside of `work` does not count.
    `sources` has, of each input that another step of the pipeline made, that step's name.
    `facts` are what its verb and its main provider declare in their manifests.
    `roots` are the folders besides its own to which what a user's data or model names may lead (see `tunesmith.contracts.untrusted_files`).
    """

    name: str
    pipeline: str  # name of the pipeline that it is a step of
    settings: Any  # the verb's own settings object
    inputs: Mapping[str, Artifact]
    sources: Mapping[str, str]
    facts: Mapping[str, Any]
    output: Path
    work: Path
    cache: Path
    roots: tuple[Path, ...]
    seed: int
    placement: Placement
    refresh: bool

    def provider(self, slot: str) -> Any:
        """The provider chosen for a slot or kind, built with its settings; imported at the first call."""

    def progress(self, done: float, total: float | None = None, *, what: str = "", unit: str = "") -> None:
        """How far a task has come. `what` names it: tasks of different names have bars of their own."""

    def log(self, message: str, level: str = "info") -> None:
        """A line for the log; those of the levels `notice` (something to read while the step runs), `warning` and `error` are shown to the
        user as well."""

    def metric(self, name: str, value: float, at: int) -> None:
        """A point of a series (loss at step 12). The same name and `at` again replaces the point."""

    def decide(self, what: str, reason: str) -> None:
        """Record a choice made at run time with its reason; it is kept with the run."""

    def ready(self, **facts: Any) -> None:
        """A service is up and answers; facts become the endpoint artifact's meta (`url`, `model`)."""

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the user asked to stop. Call it at least once a second or so."""

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Block until the step is asked to stop (True) or the time is over (False)."""
