"""Jobs that the kit hands to an executor; run as a module, a launcher of one that may be killed."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts import Job, Placement, Result
from tunesmith.isolation.job import from_json
from tunesmith.isolation.provider_import import build_provider
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_sdk.conformance.bench.subject import Subject

RANKS = "tunesmith_sdk.conformance.bench.job_ranks"
WORKER = (sys.executable, "-m", "tunesmith.isolation.worker")


def job_of(folder: Path, entry: str, ranks: int = 1, facts: Mapping[str, Any] | None = None) -> Job:
    """A job whose folders are in `folder`: ``work`` and ``files`` are those of its ranks, ``job`` is its own.

    Args:
        entry: a function of `job_ranks`.
        facts: that its ranks are told.
    """
    places = {name: folder / name for name in ("work", "files", "job")}
    for path in places.values():
        path.mkdir(mode=0o700)
    request = {
        "name": entry, "pipeline": "kit", "output": str(places["files"]), "work": str(places["work"]), "seed": 0, "settings": {},
        "settings_class": "", "distribution": "tunesmith-sdk", "inputs": {}, "choices": {}, "facts": dict(facts or {}),
    }  # fmt: skip
    steps = [{**request, "placement": dataclasses.asdict(Placement(rank=rank, processes=ranks))} for rank in range(ranks)]
    return Job(f"kit-{entry}", places["job"], f"{RANKS}:{entry}", steps, WORKER, {"SAID": "yes"})


class JobBench:
    """A job in folders of its own (see `job_of`), for an executor under test."""

    def __init__(self, subject: Subject, entry: str, ranks: int = 1, facts: Mapping[str, Any] | None = None) -> None:
        folder = subject.folder("job")
        self.job = job_of(folder, entry, ranks, facts)
        self.work, self.output = folder / "work", folder / "files"
        self._subject = subject
        self.told: list[tuple[str, Mapping[str, Any]]] = []  #: what its rank 0 reports, as (method, params)
        self.cancelled = threading.Event()

    def run(self) -> Result:
        """Have the executor carry it out, in this process."""
        return self._subject.build().run(self.step("here"), self.job, self._note)  # type: ignore[no-any-return]

    def step(self, name: str) -> WorkerStep:
        """The step of whoever hands the job over."""
        return _step(self.job.directory.parent / name, self.cancelled)

    def launch(self) -> subprocess.Popen[bytes]:
        """The same in a process of its own."""
        file, record = self.job.directory.parent / "launch.json", self._subject.record
        told = {
            "target": record.target, "settings_class": record.settings, "values": dict(self._subject.values),
            "distribution": record.distribution, "job": {**dataclasses.asdict(self.job), "directory": str(self.job.directory)},
        }  # fmt: skip
        file.write_text(json.dumps(told))
        return subprocess.Popen([sys.executable, "-m", __name__, str(file)])

    def beats(self) -> list[str]:
        """Names of those who beat, in order."""
        file = self.work / "beats"
        return file.read_text().split() if file.exists() else []

    def _note(self, method: str, params: Mapping[str, Any]) -> None:
        self.told.append((method, params))


def _step(folder: Path, cancelled: threading.Event) -> WorkerStep:
    output, work = folder / "output", folder / "work"
    for path in (output, work):
        path.mkdir(parents=True, exist_ok=True)
    return WorkerStep(name="job", pipeline="kit", output=output, work=work, cancelled=cancelled)


def main() -> None:
    file = Path(sys.argv[1])
    told = json.loads(file.read_text())
    executor = build_provider(told["target"], told["settings_class"], told["values"], told["distribution"])
    executor.run(_step(file.parent / "first", threading.Event()), from_json(told["job"]), lambda method, params: None)


if __name__ == "__main__":
    main()
